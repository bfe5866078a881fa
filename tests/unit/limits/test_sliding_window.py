"""A sliding window lets exactly its number in, wherever the window begins."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from haylift.ports.limits import Allowance, Limit
from haylift.services.sliding_window import taken
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.limits.oracles import Arrival, Counter, FixedWindow, Oracle, SlidingWindow, most_in_a_window

SIXTY = Limit(requests=60)
MINUTE_US = 60_000_000
EDGE_US = 30_000_000 * MINUTE_US
"""The edge of a minute of the clock."""

AROUND_THE_EDGE: list[Arrival] = [
    *((EDGE_US - 1_000_000 + number, 1) for number in range(60)),
    *((EDGE_US + number, 1) for number in range(60)),
]
ARRIVALS = st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 4)), max_size=40)


def assert_no_edge_doubles(counter: Counter) -> None:
    assert most_in_a_window(counter, SIXTY, AROUND_THE_EDGE) == 60


def test_the_edge_of_a_minute_gains_nothing() -> None:
    assert_no_edge_doubles(SlidingWindow())


def test_the_edge_is_seen_where_a_minute_of_the_clock_is_counted() -> None:
    with pytest.raises(AssertionError):
        assert_no_edge_doubles(FixedWindow())


@given(ARRIVALS, st.integers(1, 6))
def test_it_lets_in_what_a_full_memory_would(arrivals: list[Arrival], requests: int) -> None:
    limit = Limit(requests=requests, window_s=1.0)
    window, oracle = SlidingWindow(), Oracle()

    answers = [(window.take(limit, cost, at), oracle.take(limit, cost, at)) for at, cost in sorted(arrivals)]

    assert [mine for mine, _ in answers] == [expected for _, expected in answers]


@given(ARRIVALS, st.integers(1, 6))
def test_no_window_holds_more_than_the_limit(arrivals: list[Arrival], requests: int) -> None:
    limit = Limit(requests=requests, window_s=1.0)

    assert most_in_a_window(SlidingWindow(), limit, sorted(arrivals)) <= requests


@given(st.lists(st.integers(0, 999_999), min_size=3, max_size=3), st.integers(1, 3))
def test_a_retry_after_the_named_time_fits_and_a_microsecond_before_does_not(
    moments: list[int], cost: int
) -> None:
    limit = Limit(requests=3, window_s=1.0)
    entries = sorted(moments)

    refused, kept = taken(entries, limit, cost, entries[-1])

    at_us = entries[-1] + round(refused.retry_after_s * 1_000_000)
    assert not refused.is_allowed
    assert taken(kept, limit, cost, at_us)[0].is_allowed
    assert not taken(kept, limit, cost, at_us - 1)[0].is_allowed


def more_is_there_when_told(
    take: Callable[[list[int], Limit, int, int], tuple[Allowance, list[int]]], arrivals: list[Arrival]
) -> None:
    """At `reset_after_s` more is left than `remaining`, or what was refused fits; just before, not yet."""
    limit = Limit(requests=3, window_s=1.0)
    entries: list[int] = []
    for now_us, cost in sorted(arrivals):
        said, entries = take(entries, limit, cost, now_us)
        reset_us = round(said.reset_after_s * 1_000_000)
        needed = said.remaining + 1 if said.is_allowed else min(cost, 3)
        before, after = (_left(entries, limit, now_us + reset_us - early_us) for early_us in (1, 0))
        assert before < needed <= after


def _left(entries: list[int], limit: Limit, at_us: int) -> int:
    return taken(entries, limit, limit.requests + 1, at_us)[0].remaining


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 3)), max_size=40))
def test_more_is_there_when_told(arrivals: list[Arrival]) -> None:
    more_is_there_when_told(taken, arrivals)


def test_the_time_until_all_is_there_fails_the_same_check() -> None:
    def until_all(entries: list[int], limit: Limit, cost: int, now_us: int) -> tuple[Allowance, list[int]]:
        said, kept = taken(entries, limit, cost, now_us)
        return replace(said, reset_after_s=limit.window_s), kept

    with pytest.raises(AssertionError):
        more_is_there_when_told(until_all, [(0, 1), (500_000, 1)])


def test_what_is_left_is_told() -> None:
    limit = Limit(requests=3, window_s=10.0)

    first, entries = taken([], limit, 2, 1_000_000)
    second, entries = taken(entries, limit, 2, 5_000_000)
    third, entries = taken(entries, limit, 1, 5_000_000)

    assert first == Allowance(limit=limit, is_allowed=True, remaining=1, reset_after_s=10.0)
    assert second == Allowance(
        limit=limit, is_allowed=False, remaining=1, reset_after_s=6.0, retry_after_s=6.0
    )
    assert third == Allowance(limit=limit, is_allowed=True, remaining=0, reset_after_s=6.0)
    assert entries == [1_000_000, 1_000_000, 5_000_000]


def test_a_cost_above_the_limit_never_fits() -> None:
    allowance, entries = taken([], Limit(requests=3, window_s=10.0), 4, 7)

    assert (allowance.is_allowed, allowance.remaining, allowance.retry_after_s) == (False, 3, 10.0)
    assert entries == []


def test_a_clock_that_goes_back_gains_nothing() -> None:
    limit = Limit(requests=1, window_s=10.0)
    _, entries = taken([], limit, 1, 50_000_000)

    allowance, _ = taken(entries, limit, 1, 39_000_000)

    assert (allowance.is_allowed, allowance.retry_after_s) == (False, 10.0)
