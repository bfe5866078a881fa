"""Deadlines, the retry budget, jitter and the circuit breaker."""

from haylift.resilience import CircuitBreaker, Deadline, RetryBudget, full_jitter_s
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.search import FakeTime


def test_a_step_gets_the_earlier_of_its_share_and_the_deadline() -> None:
    time = FakeTime()

    shares = [time.deadline(10.0).within(seconds).remaining_s for seconds in (3.0, 30.0)]

    assert shares == [3.0, 10.0]


def test_ten_calls_earn_one_retry() -> None:
    budget = RetryBudget(ratio=0.125, saved=0.0)
    allowed = []

    for _ in range(16):
        budget.add_call()
        allowed.append(budget.take())

    assert [number for number, is_allowed in enumerate(allowed, 1) if is_allowed] == [8, 16]


def test_saved_retries_are_bounded() -> None:
    budget = RetryBudget(ratio=0.5, saved=0.0, most=2.0)

    for _ in range(100):
        budget.add_call()

    assert [budget.take() for _ in range(4)] == [True, True, False, False]


@given(retry=st.integers(0, 1_000), draw=st.floats(0, 1))
def test_jitter_stays_between_nothing_and_its_limit(retry: int, draw: float) -> None:
    assert 0.0 <= full_jitter_s(retry, base_s=0.1, most_s=2.0, draw=draw) <= 2.0


def failing(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.record_failure()


def test_the_breaker_opens_after_three_failures_in_a_row() -> None:
    breaker = CircuitBreaker(now=FakeTime().now)

    failing(breaker, 2)
    before = breaker.is_open
    failing(breaker, 1)

    assert (before, breaker.is_open) == (False, True)


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker(now=FakeTime().now)

    failing(breaker, 2)
    breaker.record_success()
    failing(breaker, 2)

    assert not breaker.is_open


def test_failures_far_apart_keep_it_closed() -> None:
    time = FakeTime()
    breaker = CircuitBreaker(window_s=5.0, now=time.now)

    for _ in range(10):
        breaker.record_failure()
        time.sleep(3.0)

    assert not breaker.is_open


def test_two_hangs_in_a_row_open_it_and_two_quick_failures_do_not() -> None:
    time = FakeTime()
    quick, hanging = CircuitBreaker(now=time.now), CircuitBreaker(now=time.now)

    for _ in range(2):
        time.sleep(2.5)
        quick.record_failure()
        hanging.record_failure(hung=True)

    assert (quick.is_open, hanging.is_open) == (False, True)


def test_hangs_far_apart_or_with_a_success_between_keep_it_closed() -> None:
    time = FakeTime()
    breaker = CircuitBreaker(hang_window_s=60.0, now=time.now)

    doubts = []
    for _ in range(5):
        breaker.record_failure(hung=True)
        time.sleep(61.0)
        doubts.append(breaker.is_in_doubt)
    breaker.record_failure(hung=True)
    breaker.record_success()
    breaker.record_failure(hung=True)

    assert doubts == [False] * 5
    assert (breaker.is_open, breaker.is_in_doubt) == (False, True)


def test_an_open_breaker_lets_one_probe_a_second_through() -> None:
    time = FakeTime()
    breaker = CircuitBreaker(now=time.now)
    failing(breaker, 3)
    admitted = []

    for _ in range(12):
        time.sleep(0.25)
        admitted.append(breaker.admits())

    assert [number for number, is_admitted in enumerate(admitted, 1) if is_admitted] == [4, 8, 12]


def test_a_probe_that_succeeds_closes_it() -> None:
    time = FakeTime()
    breaker = CircuitBreaker(now=time.now)
    failing(breaker, 3)

    time.sleep(1.0)
    breaker.admits()
    breaker.record_success()

    assert [breaker.admits() for _ in range(3)] == [True, True, True]


def test_a_probe_that_fails_keeps_it_open() -> None:
    time = FakeTime()
    breaker = CircuitBreaker(now=time.now)
    failing(breaker, 3)

    time.sleep(1.0)
    breaker.admits()
    breaker.record_failure()

    assert breaker.is_open
    assert not breaker.admits()


def test_a_deadline_is_over_at_its_moment() -> None:
    time = FakeTime(seconds=100.0)
    deadline = Deadline(expires_at=101.0, now=time.now)

    time.sleep(1.0)

    assert deadline.is_over
    assert deadline.remaining_s == 0.0
