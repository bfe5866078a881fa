"""Time that is left: deadlines travel with a request and bound every call it makes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from haylift.domain.errors import DeadlineExceeded


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The moment (epoch seconds) after which nobody waits for the answer any more."""

    expires_at: float
    now: Callable[[], float] = field(default=time.time, compare=False, repr=False)

    @classmethod
    def after(cls, seconds: float, now: Callable[[], float] = time.time) -> "Deadline":
        """A deadline `seconds` from now."""
        return cls(expires_at=now() + seconds, now=now)

    @property
    def remaining_s(self) -> float:
        """Seconds that are left; never below 0."""
        return max(0.0, self.expires_at - self.now())

    @property
    def is_over(self) -> bool:
        """True when no time is left."""
        return self.remaining_s <= 0

    def require(self, needed_s: float = 0.0) -> None:
        """Refuses to start work that cannot end in time.

        Raises:
            DeadlineExceeded: when less than `needed_s` seconds are left.
        """
        if self.remaining_s <= needed_s:
            raise DeadlineExceeded("The time for this request is over; ask again with a longer `timeout`.")
