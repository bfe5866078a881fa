"""The limiters of one process keep the same promises as those of all processes."""

import pytest
from haylift.ports.limits import Limit, RateLimiter
from haylift.services.limits import PROCESS_NAMES, ProcessRateLimiter

from tests.fakes.limits import MemoryRateLimiter
from tests.fakes.search import FakeTime
from tests.unit.limits.promises import RateLimiterPromises


class TestProcessRateLimiter(RateLimiterPromises):
    @pytest.fixture
    def limiter(self) -> RateLimiter:
        return ProcessRateLimiter()


class TestMemoryRateLimiter(RateLimiterPromises):
    @pytest.fixture
    def limiter(self) -> RateLimiter:
        return MemoryRateLimiter()


def test_its_window_slides() -> None:
    time = FakeTime()
    limiter = ProcessRateLimiter(monotonic=time.now)
    limit = Limit(requests=1)
    admitted = []

    for wait_s in (0.0, 59.999, 0.001):
        time.sleep(wait_s)
        admitted.append(limiter.take("ann", limit).is_allowed)

    assert admitted == [True, False, True]


def test_it_remembers_a_bounded_number_of_users() -> None:
    limiter = ProcessRateLimiter()
    limit = Limit(requests=1)

    for number in range(PROCESS_NAMES + 1):
        limiter.take(str(number), limit)

    assert limiter.take(str(PROCESS_NAMES), limit).is_allowed is False
    assert limiter.take("0", limit).is_allowed is True
