"""What every `RateLimiter` promises, whatever it counts in."""

import pytest
from haylift.ports.limits import Limit, RateLimiter

LONG = 600.0
"""Seconds; no test runs so long that something leaves this window."""


class RateLimiterPromises:
    """Inherit and give a fixture `limiter`."""

    @pytest.mark.parametrize("requests", [1, 3])
    def test_it_lets_exactly_its_number_in(self, limiter: RateLimiter, requests: int) -> None:
        limit = Limit(requests=requests, window_s=LONG)

        answers = [limiter.take("ann", limit) for _ in range(requests + 2)]

        assert [one.is_allowed for one in answers] == [True] * requests + [False, False]
        assert [one.remaining for one in answers] == [*range(requests - 1, -1, -1), 0, 0]

    def test_several_count_together_or_not_at_all(self, limiter: RateLimiter) -> None:
        limit = Limit(requests=5, window_s=LONG)

        answers = [limiter.take("ann", limit, cost) for cost in (3, 3, 2, 1)]

        assert [(one.is_allowed, one.remaining) for one in answers] == [
            (True, 2),
            (False, 2),
            (True, 0),
            (False, 0),
        ]

    def test_more_than_the_limit_never_fits(self, limiter: RateLimiter) -> None:
        allowance = limiter.take("ann", Limit(requests=5, window_s=LONG), 6)

        assert (allowance.is_allowed, allowance.remaining, allowance.retry_after_s) == (False, 5, LONG)

    def test_names_are_apart(self, limiter: RateLimiter) -> None:
        limit = Limit(requests=1, window_s=LONG)

        names = ("ann", "bob", "ann}", "{ann", "", "ann")

        assert [limiter.take(name, limit).is_allowed for name in names] == [True] * 5 + [False]

    def test_times_lie_within_the_window(self, limiter: RateLimiter) -> None:
        limit = Limit(requests=1, window_s=LONG)

        allowed, refused = limiter.take("ann", limit), limiter.take("ann", limit)

        assert (allowed.reset_after_s, allowed.retry_after_s) == (LONG, 0.0)
        assert LONG - 60.0 < refused.retry_after_s == refused.reset_after_s <= LONG
        assert allowed.limit == refused.limit == limit

    def test_a_limit_that_was_lowered_holds_at_once(self, limiter: RateLimiter) -> None:
        for _ in range(4):
            limiter.take("ann", Limit(requests=5, window_s=LONG))

        allowance = limiter.take("ann", Limit(requests=2, window_s=LONG))

        assert (allowance.is_allowed, allowance.remaining) == (False, 0)
