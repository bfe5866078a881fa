"""An outage of the model endpoint, minute by minute: two lanes, their messages, a gate or something else."""

from collections.abc import Callable
from dataclasses import dataclass, field

from haylift.domain.documents import Lane
from haylift.domain.errors import ModelUnavailable
from haylift.services.gate import GateService

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.lanes import MemoryAlarms, MemoryHolds, MemorySwitches
from tests.fakes.search import FakeModels, FakeTime

VISIBILITY_S = 720.0
MINUTE_S = 60.0
DETECTION_MIN = 4
"""So many minutes after the endpoint has stopped its alarm rings (the probe's: 2 of 3 minutes)."""


@dataclass
class Message:
    """An order in a lane: how often it was received, when it can be again, when its work was done."""

    lane: Lane
    visible_at: float
    receives: int = 0
    done_at: float | None = None


@dataclass
class Stage:
    """Everything around the gate."""

    time: FakeTime = field(default_factory=FakeTime)
    models: FakeModels = field(default_factory=FakeModels)
    alarms: MemoryAlarms = field(default_factory=MemoryAlarms)
    switches: MemorySwitches = field(default_factory=MemorySwitches)
    holds: MemoryHolds = field(init=False)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)

    def __post_init__(self) -> None:
        self.holds = MemoryHolds(self.time)

    def gate(self) -> GateService:
        return GateService(
            holds=self.holds,
            switches=self.switches,
            alarms=self.alarms,
            embedder=self.models,
            telemetry=self.telemetry,
        )

    def probes(self) -> list[str]:
        """Outcomes of the gate's questions to the endpoint."""
        return [
            dimensions["outcome"]
            for metric, _, dimensions in self.telemetry.records
            if metric.value == "gate_probes"
        ]

    def stop_model(self) -> None:
        self.models.fault = ModelUnavailable("It is gone.")

    def start_model(self) -> None:
        self.models.fault = None


def live_through(
    stage: Stage, look: Callable[[bool], object], messages: list[Message], *, outage_min: int, after_min: int
) -> None:
    """Stops the endpoint for `outage_min` minutes, works on the lanes, and looks once a minute.

    Args:
        look: what the clock and, with True, the alarm call.
    """
    stage.stop_model()
    for minute in range(outage_min + after_min):
        if minute == DETECTION_MIN:
            stage.alarms.is_ringing = True
            look(True)
        if minute == outage_min:
            stage.start_model()
        if minute == outage_min + 3:
            stage.alarms.is_ringing = False
        look(False)
        _work(stage, messages)
        stage.time.seconds += MINUTE_S


def _work(stage: Stage, messages: list[Message]) -> None:
    now = stage.time.now()
    for message in messages:
        if (
            message.done_at is None
            and message.visible_at <= now
            and stage.switches.open_by_lane[message.lane]
        ):
            message.receives += 1
            message.visible_at = now + VISIBILITY_S
            if stage.models.fault is None:
                message.done_at = now
