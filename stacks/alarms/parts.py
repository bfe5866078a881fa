"""What an alarm is made of: series of metrics, watches over them, and the symptom that they show.

A metric of ours comes only from the registry; one of AWS's only from `AwsMetric`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from haylift.telemetry import Dimension, Metric

MINUTE_S = 60


class AwsMetric(Enum):
    """The metrics of AWS that alarms and the dashboard show: namespace and name."""

    GATEWAY_REQUESTS = ("AWS/ApiGateway", "Count")
    GATEWAY_FAILURES = ("AWS/ApiGateway", "5XXError")
    GATEWAY_REFUSALS = ("AWS/ApiGateway", "4XXError")
    QUEUE_AGE = ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    QUEUE_DEPTH = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    THROTTLES = ("AWS/Lambda", "Throttles")
    INVOCATIONS = ("AWS/Lambda", "Invocations")
    CRASHES = ("AWS/Lambda", "Errors")
    DURATION = ("AWS/Lambda", "Duration")
    STREAM_AGE = ("AWS/Lambda", "IteratorAge")
    CLUSTER_RED = ("AWS/ES", "ClusterStatus.red")
    CLUSTER_YELLOW = ("AWS/ES", "ClusterStatus.yellow")
    WRITES_BLOCKED = ("AWS/ES", "ClusterIndexWritesBlocked")


class Part(Enum):
    """What a dimension of AWS's names: the physical name is known when the stack is made."""

    API = "ApiName"
    API_STAGE = "Stage"
    QUEUE = "QueueName"
    FUNCTION = "FunctionName"
    DOMAIN = "DomainName"
    ACCOUNT = "ClientId"


class Severity(StrEnum):
    """`PAGE` wakes somebody: users feel it now. `TICKET` waits for the morning."""

    PAGE = "page"
    TICKET = "ticket"


class Missing(StrEnum):
    """What minutes without data mean.

    `QUIET`: nobody asked, so nobody was failed. `ALARMING`: silence itself is the fault. `KEEP`: the last
    state holds, because AWS stops reporting what nobody touches.
    """

    QUIET = "notBreaching"
    ALARMING = "breaching"
    KEEP = "ignore"


class Rings(StrEnum):
    """On which side of its threshold a watch breaches."""

    ABOVE = "GreaterThanThreshold"
    BELOW = "LessThanThreshold"


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric with exactly its dimensions, and what is taken of each period.

    Args:
        statistic: as CloudWatch writes it, for example `Sum`, `SampleCount` or `p95`.
        dimensions: of a metric of ours, by its value; of AWS's, by the part's name in the stage.
    """

    metric: Metric | AwsMetric
    statistic: str
    dimensions: Mapping[Dimension | Part, str]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm of CloudWatch. It rings when `breaching` of the last `periods` periods breach.

    Args:
        series: by the id that the expression uses; at most 10, CloudWatch's limit.
        expression: metric math over the ids; empty when there is one series.
        variant: tells the watches of one symptom apart; empty when there is one.
        minimum_volume: below this many events a period is not judged; 0 where events are not counted.
        severity: of this watch, where it differs from its symptom's.
    """

    series: Mapping[str, Series]
    expression: str = ""
    threshold: float
    rings: Rings = Rings.ABOVE
    period_s: int = MINUTE_S
    periods: int
    breaching: int
    missing: Missing = Missing.QUIET
    variant: str = ""
    minimum_volume: int = 0
    severity: Severity | None = None


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """A symptom, named as its runbook.

    Args:
        fired_by: the real fault that makes it ring; drills do exactly this.
        together: when the watches are parts of one alarm: it rings when all variants of any group ring, and
            they tell nobody by themselves. Empty: each watch is an alarm of its own.
    """

    name: str
    severity: Severity
    fired_by: str
    watches: tuple[Watch, ...]
    together: tuple[tuple[str, ...], ...] = ()

    def severity_of(self, watch: Watch) -> Severity:
        """Whom a watch tells."""
        return watch.severity or self.severity
