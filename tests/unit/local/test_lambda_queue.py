"""Invocations wait for a process of their function, and no longer than somebody waits for them."""

import time
from typing import Any

import pytest

from local.emulator import lambda_queue
from local.emulator.gateway_call import answer_by

BUSY = (None, "func_cap")


class Pool:
    """Answers like ministack's pool: busy so many times, then a worker."""

    def __init__(self, busy_times: int) -> None:
        self.answers: list[Any] = [BUSY] * busy_times
        self.limits: list[int] = []

    def acquire_worker(self, *_: Any, max_concurrency: int, **__: Any) -> Any:
        """The next answer."""
        self.limits.append(max_concurrency)
        return self.answers.pop() if self.answers else ("worker", "reused")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A pool that is busy three times."""
    made = Pool(3)
    monkeypatch.setattr(lambda_queue.lambda_runtime, "acquire_worker", made.acquire_worker)
    monkeypatch.setattr(lambda_queue, "_LOOK_AGAIN_S", 0.01)
    return made


def test_waits_until_a_process_is_free(pool: Pool) -> None:
    assert lambda_queue.acquire_worker("f", {}, b"") == ("worker", "reused")
    assert pool.limits == [2, 2, 2, 2]


def test_each_queue_of_a_function_has_processes_of_its_own(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings = [("0", "r", {"FunctionName": name}) for name in ("f", "g", "f")]
    monkeypatch.setattr(lambda_queue.lambda_svc, "_iter_all_esms", lambda: iter(mappings))

    lambda_queue.acquire_worker("f", {}, b"")
    lambda_queue.acquire_worker("g", {}, b"")

    assert pool.limits == [4, 4, 4, 4, 2]


def test_what_the_gateway_has_given_up_is_not_begun(pool: Pool) -> None:
    token = answer_by.set(time.monotonic() - 1)
    try:
        assert lambda_queue.acquire_worker("f", {}, b"") == BUSY
    finally:
        answer_by.reset(token)


def test_a_mapping_takes_no_more_batches_than_there_are_processes() -> None:
    assert lambda_queue._limited_mapping(lambda: 10)() == 2
    assert lambda_queue._limited_mapping(lambda: 8)() == 2
    assert lambda_queue._limited_mapping(lambda: 4)() == 1
    assert lambda_queue._limited_mapping(lambda: 0)() == 0
    assert lambda_queue._limited_mapping(lambda: 1)() == 1
