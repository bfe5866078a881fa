"""Limits, flags and ratings in memory."""

from dataclasses import dataclass, field

from haylift.domain.errors import CacheUnavailable, HayliftError
from haylift.domain.flags import Flags
from haylift.ports.limits import Allowance, Limit, Rating
from haylift.services.sliding_window import microseconds, taken

from tests.fakes.search import FakeTime


@dataclass
class MemoryRateLimiter:
    """`RateLimiter` over a dictionary; `is_down` makes it fail; counts its calls."""

    time: FakeTime = field(default_factory=FakeTime)
    is_down: bool = False
    calls: int = 0
    entries_by_name: dict[str, list[int]] = field(default_factory=dict)

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        self.calls += 1
        if self.is_down:
            raise CacheUnavailable("The cache is down.", retry_after_s=1.0)
        entries = self.entries_by_name.get(name, [])
        allowance, self.entries_by_name[name] = taken(entries, limit, cost, microseconds(self.time.now()))
        return allowance


@dataclass
class MemoryTenantLimits:
    """`TenantLimits` over a dictionary, which may be told to fail."""

    own: dict[str, int] = field(default_factory=dict)
    fault: HayliftError | None = None
    reads: int = 0

    def searches_per_minute(self, tenant: str) -> int | None:
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.own.get(tenant)


@dataclass
class MemoryFlags:
    """`FlagStore` in memory, which may be told to fail."""

    flags: Flags = field(default_factory=Flags)
    fault: HayliftError | None = None
    reads: int = 0

    def read(self) -> Flags:
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.flags

    def write(self, flags: Flags) -> None:
        if self.fault:
            raise self.fault
        self.flags = flags


@dataclass
class MemoryRatings:
    """`Ratings` over a dictionary."""

    by_key: dict[tuple[str, str], Rating] = field(default_factory=dict)

    def put(self, rating: Rating) -> bool:
        key = (rating.tenant, rating.rating_id)
        is_new = key not in self.by_key
        self.by_key[key] = rating
        return is_new
