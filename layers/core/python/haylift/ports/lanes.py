"""What opening and closing the lanes needs from the world."""

from collections.abc import Mapping
from typing import Protocol

from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder, LaneHolds


class LaneHoldStore(Protocol):
    """Where it is kept who holds which lane. All methods raise `StoreUnavailable`; all are safe to repeat."""

    def read(self) -> LaneHolds:
        """The holds as they stand, strongly consistent."""

    def add(self, lane: Lane, holder: Holder) -> None:
        """Somebody holds the lane from now on."""

    def remove(self, lane: Lane, holder: Holder) -> frozenset[Holder]:
        """Somebody does not hold the lane any more; gives who still does."""

    def take_probe(self, *, gap_s: float) -> bool:
        """Whether a probe may be made now: none was in the last `gap_s` seconds, by whatever process."""

    def switch_gate(self, *, is_on: bool) -> None:
        """Lets the gate act, or not."""


class LaneSwitches(Protocol):
    """The event source mappings of the lanes. All methods raise `StoreUnavailable`; safe to repeat."""

    def states(self) -> Mapping[Lane, bool]:
        """Each lane: True when its messages are worked on, also while it is only being switched on."""

    def switch(self, lane: Lane, *, is_on: bool) -> None:
        """Lets the lane feed ingestion, or not; takes effect within a minute."""


class Alarms(Protocol):
    """What rings. Raises `StoreUnavailable`."""

    def are_ringing(self) -> bool:
        """True while an alarm of the model endpoint is in state ALARM."""
