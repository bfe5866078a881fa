"""Who holds a lane closed, and why a lane feeds nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from haylift.domain.documents import Lane

OPENING_ORDER = (Lane.INTERACTIVE, Lane.BACKFILL)
"""People wait for the first; the second would use up what a model endpoint can do that has just come back."""


class Holder(StrEnum):
    """Who may hold a lane closed. A lane is open when nobody does; nobody lifts what another holds."""

    OPERATOR = "operator"
    GATE = "gate"


@dataclass(frozen=True, kw_only=True)
class LaneHolds:
    """Who holds which lane.

    Args:
        holders_by_lane: a lane that nobody holds may be absent.
        is_gate_on: False while an operator has switched the gate off.
        gate_since: when the gate closed the lanes, epoch seconds; 0: it holds none.
        probed_at: the gate's last question to the model endpoint, epoch seconds; 0: none yet.
    """

    holders_by_lane: Mapping[Lane, frozenset[Holder]] = field(default_factory=lambda: MappingProxyType({}))
    is_gate_on: bool = True
    gate_since: float = 0.0
    probed_at: float = 0.0

    def holders(self, lane: Lane) -> frozenset[Holder]:
        """Who holds a lane."""
        return self.holders_by_lane.get(lane, frozenset())

    def held_by(self, holder: Holder) -> tuple[Lane, ...]:
        """The lanes that somebody holds, in the order in which they are opened."""
        return tuple(lane for lane in OPENING_ORDER if holder in self.holders(lane))
