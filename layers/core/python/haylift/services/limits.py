"""How much a user may ask for: counted for all processes, or in this one while they cannot agree."""

import logging
import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

from haylift.domain.errors import CacheUnavailable, LimitExceeded
from haylift.domain.identity import Principal
from haylift.ports.limits import Allowance, Limit, RateLimiter, TenantLimits
from haylift.services.last_known import LastKnown
from haylift.services.sliding_window import microseconds, taken
from haylift.telemetry import Metric, Telemetry
from haylift.tracing import Hop, HopNote, hop

SEARCH = "search"
FEEDBACK = "feedback"
"""The limits' names, in headers and metrics."""

TENANT_LIMIT_KEPT_S = 10.0
"""The longest that a tenant's changed limit is unknown to a process."""

PROCESS_NAMES = 10_000
"""Users that a process counts for itself; beyond them it forgets who has not come for longest."""

logger = logging.getLogger("haylift.limits")


class ProcessRateLimiter:
    """Implements `RateLimiter` for one process alone. Thread-safe.

    Args:
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries_by_name: LRUCache[str, list[int]] = LRUCache(PROCESS_NAMES)

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        """Counts `cost` requests of `name` if all of them fit, else none."""
        with self._lock:
            entries = self._entries_by_name.get(name, [])
            allowance, left = taken(entries, limit, cost, microseconds(self._monotonic()))
            self._entries_by_name[name] = left
        return allowance


class UserCounts:
    """Counts one kind of requests by user: across processes, or in this one while they cannot agree.

    A request never fails because of it; while the shared counter does not answer, a limit is as many times
    too wide as processes are busy.

    Args:
        shared: counts across processes.
        kind: what is counted; the limit's name in headers and metrics.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        shared: RateLimiter,
        telemetry: Telemetry,
        *,
        kind: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._telemetry = telemetry
        self._kind = kind
        self._monotonic = monotonic
        self._own_process = ProcessRateLimiter(monotonic=monotonic)
        self._try_shared_at = monotonic()

    def take(self, principal: Principal, requests: int, cost: int = 1) -> Allowance | None:
        """Counts `cost` requests of the caller if all fit into `requests` a minute; None: 0, no limit.

        Side effects: a refusal that a retry can mend is counted in `rate_limited_requests`.
        """
        if not requests:
            return None
        name = f"{self._kind}:{principal.tenant}:{principal.subject}"
        allowance = self._take(name, Limit(requests=requests), cost)
        if not allowance.is_allowed and cost <= requests:
            self._telemetry.record(Metric.RATE_LIMITED, 1, limit=self._kind)
        return allowance

    def _take(self, name: str, limit: Limit, cost: int) -> Allowance:
        with hop(Hop.RATE_LIMIT, cost=cost) as note:
            allowance = self._counted(name, limit, cost, note)
            if not allowance.is_allowed:
                note.outcome = LimitExceeded.code
        return allowance

    def _counted(self, name: str, limit: Limit, cost: int, note: HopNote) -> Allowance:
        if self._monotonic() >= self._try_shared_at:
            try:
                return self._shared.take(name, limit, cost)
            except CacheUnavailable as fault:
                self._try_shared_at = self._monotonic() + fault.retry_after_s
                logger.warning("rate limit counts in this process", extra={"code": fault.code})
        note.outcome = CacheUnavailable.code
        self._telemetry.record(Metric.RATE_LIMIT_FALLBACKS, 1, limit=self._kind)
        return self._own_process.take(name, limit, cost)


class SearchLimits:
    """Each user's searches, questions and items of batches, together in any minute.

    Args:
        shared: counts across processes.
        tenants: limits that tenants have of their own, kept for 10 s.
        searches_per_minute: of a user whose tenant has none; 0: no limit.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        shared: RateLimiter,
        tenants: TenantLimits,
        telemetry: Telemetry,
        *,
        searches_per_minute: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._searches_per_minute = searches_per_minute
        self._counts = UserCounts(shared, telemetry, kind=SEARCH, monotonic=monotonic)
        self._own_limits = LastKnown(
            tenants.searches_per_minute, at_first=None, kept_s=TENANT_LIMIT_KEPT_S, monotonic=monotonic
        )

    def take(self, principal: Principal, cost: int = 1) -> Allowance | None:
        """Counts `cost` searches of the caller if all of them fit, else none; None: there is no limit.

        Side effects: a refusal that a retry can mend is counted in `rate_limited_requests`.
        """
        own = self._own_limits.get(principal.tenant)
        return self._counts.take(principal, self._searches_per_minute if own is None else own, cost)


class RatingLimits:
    """Each user's ratings in any minute: every one is a row of the table that is paid for.

    Args:
        ratings_per_minute: 0: no limit.
    """

    def __init__(
        self,
        shared: RateLimiter,
        telemetry: Telemetry,
        *,
        ratings_per_minute: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ratings_per_minute = ratings_per_minute
        self._counts = UserCounts(shared, telemetry, kind=FEEDBACK, monotonic=monotonic)

    def take(self, principal: Principal) -> Allowance | None:
        """Counts one rating of the caller if it fits; None: there is no limit.

        Side effects: a refusal is counted in `rate_limited_requests`.
        """
        return self._counts.take(principal, self._ratings_per_minute)
