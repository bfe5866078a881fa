"""Closes the lanes while the model endpoint does not answer, and opens them by itself when it does.

Without it each message would come back after every visibility time-out only to fail again: ten receives,
two hours, and all of them are in the dead-letter queue.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from haylift.audit import SYSTEM, AuditRecord, Outcome, record
from haylift.domain.documents import Lane
from haylift.domain.errors import DeadlineExceeded, ModelUnavailable
from haylift.domain.lanes import OPENING_ORDER, Holder, LaneHolds
from haylift.ports.lanes import Alarms, LaneHoldStore, LaneSwitches
from haylift.ports.search import Embedder
from haylift.resilience import Deadline
from haylift.telemetry import Metric, Telemetry

PROBE_PATIENCE_S = 10.0
"""An endpoint that is slow still works; one that starts cold answers the next probe."""

LEAST_PROBE_GAP_S = 5.0
"""The clock asks once a minute; this only keeps an event that is delivered twice from asking twice."""

PROBE_TEXT = "gate"
logger = logging.getLogger("haylift.gate")


class GateView(StrEnum):
    """How a look ended.

    `OPEN`: the gate holds nothing. `CLOSED`: both lanes are held. `OPENING`: one is open again.
    `OFF`: an operator has switched the gate off.
    """

    OPEN = "open"
    CLOSED = "closed"
    OPENING = "opening"
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class GateService:
    """Looks when an alarm rings and once a minute; each look is safe to repeat and to die in.

    What an operator holds is never lifted: the lanes' holders are kept beside each other, and a lane feeds
    ingestion only when it has none.
    """

    holds: LaneHoldStore
    switches: LaneSwitches
    alarms: Alarms
    embedder: Embedder
    telemetry: Telemetry

    def look(self, *, is_alarmed: bool) -> GateView:
        """Closes, keeps or opens; one lane at a look, and the endpoint is asked once at most.

        Args:
            is_alarmed: an alarm has just begun to ring; closed lanes are left to the clock.

        Raises:
            StoreUnavailable: the next look goes on from there.
        """
        holds = self.holds.read()
        states = self.switches.states()
        self._keep_closed(holds, states)
        view = self._view(holds, states, is_alarmed=is_alarmed)
        for lane in Lane:
            self.telemetry.record(Metric.LANE_OPEN, int(states[lane]), lane=lane.value)
        return view

    def _view(self, holds: LaneHolds, states: Mapping[Lane, bool], *, is_alarmed: bool) -> GateView:
        held = holds.held_by(Holder.GATE)
        if not holds.is_gate_on:
            for lane in held:
                self._open(lane, holds)
            return GateView.OFF
        if held:
            return GateView.CLOSED if is_alarmed else self._tried(holds, states, held)
        # An alarm may tell of what is over by now, and its event may be late or lost: the clock asks too.
        is_suspicious = is_alarmed or self.alarms.are_ringing()
        if not is_suspicious or self._answers() is not False:
            return GateView.OPEN
        self._close(holds, states)
        return GateView.CLOSED

    def _tried(self, holds: LaneHolds, states: Mapping[Lane, bool], held: tuple[Lane, ...]) -> GateView:
        answers = self._answers()
        if answers is None:
            return GateView.CLOSED
        if not answers:
            self._close(holds, states)
            return GateView.CLOSED
        self._open(held[0], holds)
        return GateView.OPENING if len(held) > 1 else GateView.OPEN

    def _keep_closed(self, holds: LaneHolds, states: Mapping[Lane, bool]) -> None:
        """An operator's pause that met an opening at the same moment wins."""
        for lane in holds.held_by(Holder.OPERATOR):
            if states[lane]:
                self.switches.switch(lane, is_on=False)

    def _close(self, holds: LaneHolds, states: Mapping[Lane, bool]) -> None:
        """Takes every lane but those that somebody switched off by hand: nobody knows why."""
        for lane in OPENING_ORDER:
            if Holder.GATE not in holds.holders(lane) and (states[lane] or holds.holders(lane)):
                # The hold first: a lane that is closed and held by nobody would never open again.
                self.holds.add(lane, Holder.GATE)
                _tell("lane.close", lane)
            if states[lane]:
                self.switches.switch(lane, is_on=False)

    def _open(self, lane: Lane, holds: LaneHolds) -> None:
        if holds.holders(lane) == {Holder.GATE}:
            self.switches.switch(lane, is_on=True)
        if self.holds.remove(lane, Holder.GATE):
            # An operator holds it, maybe since a moment ago.
            self.switches.switch(lane, is_on=False)
        _tell("lane.open", lane)

    def _answers(self) -> bool | None:
        """Whether the endpoint answers; None when it was asked a moment ago."""
        if not self.holds.take_probe(gap_s=LEAST_PROBE_GAP_S):
            return None
        try:
            self.embedder.embed_query(PROBE_TEXT, Deadline.after(PROBE_PATIENCE_S))
        except (ModelUnavailable, DeadlineExceeded) as fault:
            logger.warning("the model endpoint does not answer", extra={"code": fault.code})
            self.telemetry.record(Metric.GATE_PROBES, 1, outcome="failed")
            return False
        self.telemetry.record(Metric.GATE_PROBES, 1, outcome="ok")
        return True


def _tell(action: str, lane: Lane) -> None:
    record(AuditRecord(actor=SYSTEM, tenant="", action=action, resource=lane.value, outcome=Outcome.ALLOWED))
