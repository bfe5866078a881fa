"""The arithmetic of a sliding window, apart from where its entries lie."""

from collections.abc import Sequence

from haylift.ports.limits import Allowance, Limit

MICROSECONDS = 1_000_000


def microseconds(seconds: float) -> int:
    """Whole microseconds: with floats an entry could leave the window twice, or never.

    >>> microseconds(1.5)
    1500000
    """
    return round(seconds * MICROSECONDS)


def taken(entries_us: Sequence[int], limit: Limit, cost: int, now_us: int) -> tuple[Allowance, list[int]]:
    """What the limit leaves at `now_us`, and the entries after that: `cost` more of them if all fit.

    An entry counts for exactly `limit.window_s`: from its own moment on, and no longer at the moment of the
    window's end. So no window of that length, wherever it begins, holds more than `limit.requests`. A clock
    that goes back is taken as standing still.

    Args:
        entries_us: moments of the requests that were let in, epoch microseconds, oldest first.
        cost: >= 1; above `limit.requests` it never fits, and `retry_after_s` is the whole window.
    """
    window_us = microseconds(limit.window_s)
    now_us = max(now_us, entries_us[-1]) if entries_us else now_us
    current = [moment for moment in entries_us if moment + window_us > now_us]
    if len(current) + cost <= limit.requests:
        current += [now_us] * cost
        return _allowance(limit, current, window_us, now_us, retry_after_us=None), current
    to_leave = len(current) + cost - limit.requests
    leaves_last = current[to_leave - 1] if to_leave <= len(current) else now_us
    retry_after_us = leaves_last + window_us - now_us
    return _allowance(limit, current, window_us, now_us, retry_after_us=retry_after_us), current


def _allowance(
    limit: Limit, current: Sequence[int], window_us: int, now_us: int, *, retry_after_us: int | None
) -> Allowance:
    more_after_us = current[0] + window_us - now_us if current else 0
    return Allowance(
        limit=limit,
        is_allowed=retry_after_us is None,
        remaining=max(0, limit.requests - len(current)),
        reset_after_s=(more_after_us if retry_after_us is None else retry_after_us) / MICROSECONDS,
        retry_after_s=(retry_after_us or 0) / MICROSECONDS,
    )
