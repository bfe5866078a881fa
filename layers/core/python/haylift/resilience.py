"""How calls end in time and stop hurting: deadlines, a budget for retries, a circuit breaker.

A deadline travels with a request and bounds every call it makes. Budget and breaker live as long as
the process; both may be used from several threads.
"""

import threading
import time
from collections import deque
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

    def within(self, seconds: float) -> "Deadline":
        """This deadline, or `seconds` from now if that is earlier: one step's share of the time."""
        return Deadline(expires_at=min(self.expires_at, self.now() + seconds), now=self.now)

    def require(self, needed_s: float = 0.0) -> None:
        """Refuses to start work that cannot end in time.

        Raises:
            DeadlineExceeded: when less than `needed_s` seconds are left.
        """
        if self.remaining_s <= needed_s:
            raise DeadlineExceeded("The time for this request is over; ask again with a longer `timeout`.")


class RetryBudget:
    """Keeps retries to a share of the calls, so that a failing dependency is not hit twice as hard.

    A token bucket: each call puts `ratio` of a retry in, each retry takes one out. The 10 % is the
    figure of Google's SRE book, "Handling Overload"; one saved retry lets a quiet process retry at all.

    >>> budget = RetryBudget(ratio=0.1, saved=1.0)
    >>> budget.take(), budget.take()
    (True, False)
    """

    def __init__(self, *, ratio: float = 0.1, saved: float = 1.0, most: float = 10.0) -> None:
        self._ratio = ratio
        self._saved = saved
        self._most = most
        self._lock = threading.Lock()

    def add_call(self) -> None:
        """Counts a first try."""
        with self._lock:
            self._saved = min(self._most, self._saved + self._ratio)

    def take(self) -> bool:
        """Takes one retry out; False when none is left."""
        with self._lock:
            if self._saved < 1.0:
                return False
            self._saved -= 1.0
            return True


def full_jitter_s(retry: int, *, base_s: float = 0.1, most_s: float = 2.0, draw: float) -> float:
    """The wait before retry number `retry` (from 0): evenly drawn below a doubling limit.

    Args:
        draw: a random number from 0 to 1. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".

    >>> full_jitter_s(2, base_s=0.1, draw=0.5)
    0.2
    """
    return draw * min(most_s, base_s * 2.0 ** min(retry, 30))


class CircuitBreaker:
    """Stops calling a dependency that fails, and probes it once a second until it answers.

    Opens after `failure_limit` failures in a row within `window_s`, or `hang_limit` time-outs in a row
    within `hang_window_s`: a process that answers one request after the other sees a time-out only every
    few seconds, and each of them has cost a caller its patience. While open, `admits` lets one call per
    `probe_every_s` through; its success closes the breaker.
    """

    def __init__(
        self,
        *,
        failure_limit: int = 3,
        window_s: float = 5.0,
        hang_limit: int = 2,
        hang_window_s: float = 60.0,
        probe_every_s: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window_s = window_s
        self._hang_window_s = hang_window_s
        self._probe_every_s = probe_every_s
        self._now = now
        self._failures: deque[float] = deque(maxlen=failure_limit)
        self._hangs: deque[float] = deque(maxlen=hang_limit)
        self._next_probe_at: float | None = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """True while the dependency is taken as failed."""
        return self._next_probe_at is not None

    @property
    def is_in_doubt(self) -> bool:
        """True while open, and after a time-out until the next success, for `hang_window_s` at most."""
        with self._lock:
            is_recent = bool(self._hangs) and self._now() - self._hangs[-1] <= self._hang_window_s
            return self._next_probe_at is not None or is_recent

    def admits(self) -> bool:
        """Says whether a call may be made now; while open, a True is the probe itself."""
        with self._lock:
            if self._next_probe_at is None:
                return True
            now = self._now()
            if now < self._next_probe_at:
                return False
            self._next_probe_at = now + self._probe_every_s
            return True

    def record_success(self) -> None:
        """The dependency answered, whatever the answer was."""
        with self._lock:
            self._failures.clear()
            self._hangs.clear()
            self._next_probe_at = None

    def record_failure(self, *, hung: bool = False) -> None:
        """The dependency said that it cannot, or did not answer; `hung`: not within the time for it."""
        with self._lock:
            now = self._now()
            self._failures.append(now)
            if hung:
                self._hangs.append(now)
            has_failed = _are_full(self._failures, now - self._window_s)
            has_hung = _are_full(self._hangs, now - self._hang_window_s)
            if self._next_probe_at is not None or has_failed or has_hung:
                self._next_probe_at = now + self._probe_every_s


def _are_full(moments: deque[float], since: float) -> bool:
    return len(moments) == moments.maxlen and moments[0] >= since
