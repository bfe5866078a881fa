"""Watches the tenants' indexes: some in each probe, and a broken one in every probe until it is well."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from haylift.domain.errors import IndexUnavailable, StoreUnavailable
from haylift.ports import DocumentIndex, TenantCount, TenantCounts
from haylift.services.health import Status

ASKED_PER_PROBE = 8
"""Indexes whose turn it is; a process keeps 32 open, and those that are searched should stay."""

TURN_S = 120.0
"""A turn is two heartbeats long: processes that know nothing of each other find the same one broken twice."""

REMEMBERED = 8
"""Broken indexes that a process remembers: one is enough to ring, and to go on ringing."""

logger = logging.getLogger("haylift.health")


class IndexWatch:
    """Asks the indexes of tenants with documents, where one that is gone must not pass for an empty one.

    The turn follows from the minute: any process goes on where another stopped. A broken index is asked again
    first in every probe of this process. So one lost index among N tenants, with a probe a minute, has been
    found in two minutes in a row at most `detection_minutes(N)` = 2 * ceil(N / 8) + 1 minutes later: 3 for up
    to 8 tenants, 7 for 24, 27 for 100; also when every minute has a new process. A lasting process finds
    it in every minute from then on, until it is well.

    The tenants are learned from the tables' probe: tables that do not answer are not the index's fault.

    Args:
        wall_clock: epoch seconds.
    """

    def __init__(
        self, index: DocumentIndex, tenants: TenantCounts, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._index = index
        self._tenants = tenants
        self._wall_clock = wall_clock
        self._filled: tuple[TenantCount, ...] | None = None
        self._broken: set[str] = set()
        self._lock = threading.Lock()

    def learn(self) -> None:
        """Reads the tenants' table. Raises `StoreUnavailable`."""
        self._filled = tuple(count for count in self._tenants.counts() if count.documents)

    def ask(self) -> Status | None:
        """Asks those whose turn it is; `degraded` when one is broken while others are well.

        Raises:
            IndexUnavailable: the store as a whole does not answer, or no index in it could be read.
        """
        if self._filled is None:
            with suppress(StoreUnavailable):
                self.learn()
        filled = self._filled or ()
        if not filled:
            self._index.check()
            return None
        found = self._first_broken(filled)
        if found is None:
            return None
        count, fault = found
        if not self._is_any_well(filled):
            raise fault
        detail = {"tenant": count.tenant, "generation": count.generation}
        logger.warning("index of a tenant does not answer", extra={"code": fault.code, "detail": detail})
        return Status.DEGRADED

    def _first_broken(self, filled: tuple[TenantCount, ...]) -> tuple[TenantCount, IndexUnavailable] | None:
        """The first of the remembered ones and of the turn's that does not answer: each may cost a second."""
        with self._lock:
            self._broken &= {count.tenant for count in filled}
            remembered = [count for count in filled if count.tenant in self._broken]
        for count in dict.fromkeys((*remembered, *self._turn(filled))):
            fault = self._fault_of(count)
            self._note(count, fault)
            if fault is not None:
                return count, fault
        return None

    def _turn(self, filled: tuple[TenantCount, ...]) -> tuple[TenantCount, ...]:
        first = int(self._wall_clock() // TURN_S) * ASKED_PER_PROBE
        places = range(first, first + min(len(filled), ASKED_PER_PROBE))
        return tuple(filled[place % len(filled)] for place in places)

    def _note(self, count: TenantCount, fault: IndexUnavailable | None) -> None:
        with self._lock:
            if fault is None:
                self._broken.discard(count.tenant)
            elif len(self._broken) < REMEMBERED:
                self._broken.add(count.tenant)

    def _is_any_well(self, filled: tuple[TenantCount, ...]) -> bool:
        """Whether the first, the middle or the last of the others answers."""
        others = [count for count in filled if count.tenant not in self._broken]
        some: Iterable[TenantCount] = dict.fromkeys(
            (*others[:1], *others[len(others) // 2 :][:1], *others[-1:])
        )
        return any(self._fault_of(count) is None for count in some)

    def _fault_of(self, count: TenantCount) -> IndexUnavailable | None:
        try:
            self._index.check([count])
        except IndexUnavailable as fault:
            return fault
        return None


def detection_minutes(tenants: int) -> int:
    """Minutes, with a probe a minute, until one lost index among so many tenants was found twice in a row.

    >>> [detection_minutes(tenants) for tenants in (1, 8, 24, 100)]
    [3, 3, 7, 27]
    """
    return 2 * math.ceil(tenants / ASKED_PER_PROBE) + 1
