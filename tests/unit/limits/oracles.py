"""What a limit means, written down a second time, and two limiters that get it wrong."""

from dataclasses import dataclass, field
from typing import Protocol

from haylift.ports.limits import Limit
from haylift.services.sliding_window import taken

type Arrival = tuple[int, int]
"""Epoch microseconds and cost of a request."""


class Counter(Protocol):
    """Lets requests in at moments that it is told."""

    def take(self, limit: Limit, cost: int, now_us: int) -> bool:
        """Says whether the request was let in."""


@dataclass
class SlidingWindow:
    """The arithmetic under test."""

    entries: list[int] = field(default_factory=list)

    def take(self, limit: Limit, cost: int, now_us: int) -> bool:
        allowance, self.entries = taken(self.entries, limit, cost, now_us)
        return allowance.is_allowed


@dataclass
class Oracle:
    """Remembers everything for ever and counts what the last window saw."""

    let_in: list[Arrival] = field(default_factory=list)

    def take(self, limit: Limit, cost: int, now_us: int) -> bool:
        window_us = round(limit.window_s * 1_000_000)
        seen = sum(spent for moment, spent in self.let_in if now_us - window_us < moment)
        if seen + cost > limit.requests:
            return False
        self.let_in.append((now_us, cost))
        return True


@dataclass
class FixedWindow:
    """Wrong: counts by the minute of the clock, so that two full minutes fit around its edge."""

    used_by_window: dict[int, int] = field(default_factory=dict)

    def take(self, limit: Limit, cost: int, now_us: int) -> bool:
        window = now_us // round(limit.window_s * 1_000_000)
        used = self.used_by_window.get(window, 0) + cost
        if used > limit.requests:
            return False
        self.used_by_window[window] = used
        return True


def most_in_a_window(counter: Counter, limit: Limit, arrivals: list[Arrival]) -> int:
    """The most that was let in within any window's length, wherever that begins."""
    let_in = [(moment, cost) for moment, cost in arrivals if counter.take(limit, cost, moment)]
    window_us = round(limit.window_s * 1_000_000)
    return max(
        (sum(cost for moment, cost in let_in if start <= moment < start + window_us) for start, _ in let_in),
        default=0,
    )
