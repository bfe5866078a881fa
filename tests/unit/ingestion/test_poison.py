"""One poison record of ten: its neighbours are worked on once each, and only it comes again."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from haylift.domain.errors import DeadlineExceeded, ModelUnavailable
from haylift.resilience import Deadline
from haylift.services.batches import PartialBatch, deliver, deliver_side_by_side

POISON = "record-4"


class Panic(BaseException):
    """What libraries written in Rust raise: no `Exception`."""


def killed_child() -> None:
    """A child process that dies of signal 9."""
    command = [sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"]
    subprocess.run(command, check=True)


def raising(fault: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise fault

    return act


POISONS = {
    "an error": raising(ValueError("odd")),
    "SystemExit": raising(SystemExit(3)),
    "MemoryError": raising(MemoryError()),
    "a panic": raising(Panic()),
    "a killed child": killed_child,
    "a time-out": raising(DeadlineExceeded("too slow")),
    "recursion": raising(RecursionError()),
}

type Deliver = Callable[[Sequence[Any], Callable[[str], None]], PartialBatch]


def side_by_side(records: Sequence[Any], consume: Callable[[str], None]) -> PartialBatch:
    return deliver_side_by_side(records, consume, Deadline.after(10), threads=3)


def naive(records: Sequence[Any], consume: Callable[[str], None]) -> PartialBatch:
    """Loops that catch `Exception` are everywhere."""
    failed = []
    for record in records:
        try:
            consume(record["body"])
        except Exception:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def records() -> list[dict[str, Any]]:
    return [{"messageId": f"m-{number}", "body": f"record-{number}"} for number in range(10)]


def neighbours_are_done_once(deliver: Deliver, poison: Callable[[], None]) -> None:
    done: list[str] = []

    def consume(body: str) -> None:
        if body == POISON:
            poison()
        done.append(body)

    answer = deliver(records(), consume)
    assert sorted(done) == [f"record-{number}" for number in range(10) if number != 4]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-4"}]}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
@pytest.mark.parametrize("each", [deliver, side_by_side], ids=["in order", "side by side"])
def test_neighbours_are_done_once_and_the_poison_comes_again(
    each: Deliver, poison: Callable[[], None]
) -> None:
    neighbours_are_done_once(each, poison)


@pytest.mark.parametrize("name", ["SystemExit", "a panic"])
def test_a_naive_loop_fails_the_same_check(name: str) -> None:
    with pytest.raises((SystemExit, Panic)):
        neighbours_are_done_once(naive, POISONS[name])


def test_a_record_that_hangs_delays_nobody() -> None:
    release, done = threading.Event(), list[str]()

    def consume(body: str) -> None:
        if body == POISON:
            release.wait(30)
        done.append(body)

    try:
        answer = deliver_side_by_side(records(), consume, Deadline.after(0.5), threads=3)
    finally:
        release.set()

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-4"}]}
    assert len(done) >= 9


def test_in_order_the_neighbours_of_a_hanging_record_would_wait() -> None:
    """Why dispatch works side by side: ingestion takes one record at a time, and hangs alone."""
    release, done = threading.Event(), list[str]()

    def consume(body: str) -> None:
        if body == POISON:
            release.wait(30)
        done.append(body)

    worker = threading.Thread(target=deliver, args=(records(), consume), daemon=True)
    worker.start()
    worker.join(0.5)
    seen = list(done)
    release.set()
    worker.join(10)

    assert len(seen) == 4


def test_without_the_model_the_rest_goes_back_untouched() -> None:
    begun: list[str] = []

    def consume(body: str) -> None:
        begun.append(body)
        if body == POISON:
            raise ModelUnavailable("It is gone.")

    answer = deliver(records(), consume, stop_on=(ModelUnavailable,))

    assert begun == [f"record-{number}" for number in range(5)]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [
        f"m-{number}" for number in range(4, 10)
    ]


def test_an_empty_batch_is_an_empty_answer() -> None:
    assert side_by_side([], lambda _body: None) == {"batchItemFailures": []}
