"""Lanes, their holders and alarms in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder, LaneHolds

from tests.fakes.search import FakeTime


@dataclass
class MemoryHolds:
    """`LaneHoldStore` over one record."""

    time: FakeTime = field(default_factory=FakeTime)
    holds: LaneHolds = field(default_factory=LaneHolds)

    def read(self) -> LaneHolds:
        return self.holds

    def add(self, lane: Lane, holder: Holder) -> None:
        self._put(lane, self.holds.holders(lane) | {holder})

    def remove(self, lane: Lane, holder: Holder) -> frozenset[Holder]:
        self._put(lane, self.holds.holders(lane) - {holder})
        return self.holds.holders(lane)

    def take_probe(self, *, gap_s: float) -> bool:
        if self.time.now() - self.holds.probed_at < gap_s:
            return False
        self.holds = replace(self.holds, probed_at=self.time.now())
        return True

    def switch_gate(self, *, is_on: bool) -> None:
        self.holds = replace(self.holds, is_gate_on=is_on)

    def _put(self, lane: Lane, holders: frozenset[Holder]) -> None:
        by_lane = {**self.holds.holders_by_lane, lane: holders}
        self.holds = replace(self.holds, holders_by_lane=by_lane)


@dataclass
class MemorySwitches:
    """`LaneSwitches` over a dictionary; `switched` keeps what was asked for, in order."""

    open_by_lane: dict[Lane, bool] = field(default_factory=lambda: dict.fromkeys(Lane, True))
    switched: list[tuple[Lane, bool]] = field(default_factory=list)

    def states(self) -> Mapping[Lane, bool]:
        return dict(self.open_by_lane)

    def switch(self, lane: Lane, *, is_on: bool) -> None:
        self.open_by_lane[lane] = is_on
        self.switched.append((lane, is_on))


@dataclass
class MemoryAlarms:
    """`Alarms` that ring when told."""

    is_ringing: bool = False

    def are_ringing(self) -> bool:
        return self.is_ringing
