"""Waiting for a condition by asking again, with a deadline: the only place that sleeps."""

import time
from collections.abc import Callable


class TooLate(TimeoutError):
    """A condition was not met before its deadline."""


def until[T](question: Callable[[], T], *, what: str, limit_s: float, pause_s: float = 0.1) -> T:
    """Ask until the answer is true, and return it; raises `TooLate`, naming `what`, after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise TooLate(f"{what}: not within {limit_s:g} s")
        time.sleep(pause_s)
