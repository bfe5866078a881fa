"""Where a reconcile stands: what it has compared, what it has found, and where it goes on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from haylift.domain.drift import Drift, DriftKind

BY_STAGE = {
    "objects": frozenset({DriftKind.OBJECT_WITHOUT_ROW, DriftKind.WRONG_VERSION}),
    "vanished": frozenset({DriftKind.ROW_WITHOUT_OBJECT}),
}
"""Whose findings are another stage's to tell, so that a run without repair tells each once."""

ALL_KINDS = frozenset(DriftKind)


class Stage(StrEnum):
    """What is compared of a tenant, in this order; `DONE`: the place's tenant needs no more."""

    INDEX = "index"
    ROWS = "rows"
    OBJECTS = "objects"
    VANISHED = "vanished"
    COUNT = "count"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run stands; written between two steps it lets another process go on.

    Args:
        started_at: when the run began, epoch seconds.
        tenant, stage, after: the step that comes next; `after` is the last key or id that is done.
        is_lost: the tenant's index is gone and is not to be made anew.
        content_version: of the tenant when its rows were begun.
        live_rows: rows that readers see something of.
        busy_rows: rows that are open, or whose chunks are not as they should be.
        expecting: settled rows that say that there is an object; `matched`: objects that say so too.
        found, repaired: counts by kind over all tenants so far.
        unread: tenants that were left because their index cannot be read.
    """

    started_at: float
    tenant: str = ""
    stage: Stage = Stage.DONE
    after: str = ""
    is_lost: bool = False
    content_version: int = -1
    live_rows: int = 0
    busy_rows: int = 0
    expecting: int = 0
    matched: int = 0
    found: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def at(self, stage: Stage, after: str = "") -> "Place":
        """The same run at another stage."""
        return replace(self, stage=stage, after=after)

    def of(self, tenant: str) -> "Place":
        """The same run at the beginning of a tenant."""
        kept = Place(started_at=self.started_at, found=self.found, repaired=self.repaired, unread=self.unread)
        return replace(kept, tenant=tenant, stage=Stage.INDEX)


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """What one call did. `is_whole`: the run is at its end; otherwise it goes on at `place`."""

    place: Place
    is_whole: bool
    drifts: tuple[Drift, ...] = ()


@dataclass(kw_only=True)
class Step:
    """One page of one stage: where it is, and what it finds and repairs."""

    place: Place
    generation: str
    repair: bool
    found: list[Drift] = field(default_factory=list)
    repaired: list[DriftKind] = field(default_factory=list)

    def note(self, kind: DriftKind) -> None:
        """Counts a finding about the tenant as a whole."""
        self.found.append(Drift(tenant=self.place.tenant, kind=kind))

    def counted(self, place: Place) -> Place:
        """The place after the step, with what it found and repaired."""
        found = Counter(place.found) + Counter(drift.kind.value for drift in self.found)
        repaired = Counter(place.repaired) + Counter(kind.value for kind in self.repaired)
        return replace(place, found=dict(found), repaired=dict(repaired))
