"""What `ops status` saw: one record for each thing that was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from haylift.domain.flags import Flags
from haylift.domain.lanes import LaneHolds
from haylift.telemetry import Metric

from ops.measurements import Measurements

PAGE, TICKET, PART = "PAGE", "TICKET", "PART"
METRICS, HEALTH = "metrics", "health"
"""The sources whose silence must not be taken for zeros, or for health."""


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue now: messages by what they do, and those of its dead-letter queue."""

    name: str
    visible: int
    in_flight: int
    delayed: int
    dead: int


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """One alarm; `state` is CloudWatch's, `since` ISO 8601.

    `severity`: `PAGE`, `TICKET`, `PART` (of another alarm, tells nobody), or empty.
    """

    name: str
    state: str
    severity: str
    since: str
    symptom: str
    runbook: str
    reason: str = ""
    description: str = ""

    @property
    def is_ringing(self) -> bool:
        """True in state ALARM."""
        return self.state == "ALARM"

    @property
    def is_telling(self) -> bool:
        """True when it rings and tells somebody."""
        return self.is_ringing and self.severity != PART


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """How a queue feeds a function: `state` is Lambda's, for example `Enabled` or `Disabled`."""

    queue: str
    function: str
    state: str
    mapping_id: str

    @property
    def is_paused(self) -> bool:
        """True when nothing is taken from the queue."""
        return self.state in {"Disabled", "Disabling"}


@dataclass(frozen=True, kw_only=True)
class Health:
    """What `GET /health` answered: `parts` (status by part) and `codes` for admins only."""

    status: str
    took_s: float
    parts: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    duration_ms_by_part: Mapping[str, float] = field(default_factory=dict)
    login_fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Documents that are not finished, by tenant, largest first; `is_whole` is false for a part of them."""

    documents_by_tenant: Mapping[str, int]
    is_whole: bool = True

    @property
    def documents(self) -> int:
        """All of them."""
        return sum(self.documents_by_tenant.values())


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """The newest change of a stack; `at` ISO 8601."""

    stack: str
    status: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that was seen at one moment. What was not seen is None or empty, and named in `unanswered`.

    Args:
        at_s: epoch seconds.
        minutes: how far back the measurements go.
        signing_key, signing_key_id: KMS's state of the key that signs tokens, for example `Enabled`.
        heartbeat_rule: EventBridge's state of the rule, or `MISSING`.
        unanswered: why a source did not answer, by its name.
    """

    stage: str
    at_s: float
    minutes: float
    measurements: Measurements = field(default_factory=Measurements)
    health: Health | None = None
    queues: tuple[QueueState, ...] = ()
    alarms: tuple[AlarmState, ...] = ()
    flags: Flags | None = None
    sources: tuple[SourceState, ...] = ()
    lane_holds: LaneHolds | None = None
    signing_key: str | None = None
    signing_key_id: str = ""
    heartbeat_rule: str | None = None
    backlog: Backlog | None = None
    deploy: Deploy | None = None
    unanswered: Mapping[str, str] = field(default_factory=dict)

    @property
    def this_minute_s(self) -> float:
        """When the minute under way began."""
        return self.at_s - self.at_s % 60

    @property
    def newest_minute_s(self) -> float:
        """Points that begin from here on tell of now: the minute under way and the one before."""
        return self.this_minute_s - 60

    def was_deployed_within(self, seconds: float) -> bool:
        """Whether a stack changed so short a time ago."""
        if self.deploy is None:
            return False
        return self.at_s - datetime.fromisoformat(self.deploy.at).timestamp() < seconds

    def part_is_down(self, part: str) -> bool:
        """Whether the part does not answer, as the live look says, else the last heartbeat."""
        if self.health is not None and part in self.health.parts:
            return self.health.parts[part] == "unhealthy"
        return self.measurements.newest(Metric.DEPENDENCY_HEALTHY, "Minimum", dependency=part) == 0
