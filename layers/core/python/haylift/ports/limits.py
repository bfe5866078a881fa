"""What rate limits, flags and ratings need from the world."""

import hashlib
import json
from dataclasses import dataclass
from typing import Protocol

from haylift.domain.flags import Flags


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `requests` in any `window_s` seconds: a sliding window, so that no edge doubles it."""

    requests: int
    window_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a limit leaves.

    Args:
        is_allowed: whether the request may go on; then it is counted already.
        remaining: requests that are left in the window.
        reset_after_s: until there is more than `remaining`, as the oldest request leaves the window; of a
            refusal until as many fit as were asked for, the same as `retry_after_s`.
        retry_after_s: until as many fit as were asked for; 0 when allowed.
    """

    limit: Limit
    is_allowed: bool
    remaining: int
    reset_after_s: float
    retry_after_s: float = 0.0


class RateLimiter(Protocol):
    """Counts across all processes, exactly. Raises `CacheUnavailable` or `StoreUnavailable`."""

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        """Counts `cost` requests of `name` if all of them fit, else none."""


class TenantLimits(Protocol):
    """The tenants' own limits. Raises `StoreUnavailable`."""

    def searches_per_minute(self, tenant: str) -> int | None:
        """Searches of each user in any minute; 0: no limit; None: what the stage says."""


class FlagStore(Protocol):
    """Where operators' flags lie. All methods raise `StoreUnavailable`."""

    def read(self) -> Flags:
        """The flags as they stand, strongly consistent; without any, the defaults."""

    def write(self, flags: Flags) -> None:
        """Replaces the flags."""


@dataclass(frozen=True, kw_only=True)
class Rating:
    """What a user thought of an answer or a search.

    Args:
        kind: `answer` or `search`.
        rated_request_id: the `request_id` of what is rated.
        rating: 1 to 5.
        comment: the user's words, at most 2,000 characters.
        at: epoch seconds.
    """

    tenant: str
    subject: str
    kind: str
    rated_request_id: str
    rating: int
    comment: str
    at: float

    @property
    def rating_id(self) -> str:
        """The same for every rating that this user gives this request, so that the last one stays."""
        rated = json.dumps([self.subject, self.rated_request_id])
        return hashlib.sha256(rated.encode()).hexdigest()[:32]


class Ratings(Protocol):
    """Where ratings are kept. Raises `StoreUnavailable`."""

    def put(self, rating: Rating) -> bool:
        """Keeps the rating under its tenant and `rating_id`; False when it replaced one."""
