"""Which inputs run together, and in whose turn: properties on plain numbers, and faults they notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haylift_endpoint.batching.selection import Limits, choose_batch, choose_class, halves, padded_tokens
from haylift_endpoint.inference.hardware import BatchLimits
from haylift_endpoint.ports import RequestClass


@dataclass(frozen=True)
class Waiting:
    number: int
    tokens: int


type Choose = Callable[[Sequence[Waiting], Limits], list[Waiting]]

LIMITS = BatchLimits(max_items=8, max_tokens=1024, max_padding_tokens=16)


def check_batch(lengths: Sequence[int], choose: Choose = choose_batch) -> None:
    waiting = [Waiting(number, tokens) for number, tokens in enumerate(lengths)]

    batch = choose(waiting, LIMITS)

    assert batch[0].number == 0, "the oldest runs"
    assert len({item.number for item in batch}) == len(batch) <= LIMITS.max_items
    assert len(batch) == 1 or padded_tokens(batch) <= LIMITS.max_tokens
    assert padded_tokens(batch) - sum(item.tokens for item in batch) <= LIMITS.max_padding_tokens * len(batch)
    longest = max(item.tokens for item in batch)
    fits = len(batch) < LIMITS.max_items and padded_tokens(batch) + longest <= LIMITS.max_tokens
    left_out = {item.tokens for item in waiting if item not in batch}
    assert not (fits and longest in left_out), "an equal that fits is not left out"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(3, 512), min_size=1, max_size=40))
def test_a_batch_has_the_oldest_its_neighbours_and_little_padding(lengths: list[int]) -> None:
    check_batch(lengths)


@pytest.mark.parametrize(
    "broken",
    [
        lambda waiting, limits: list(waiting[: limits.max_items]),
        lambda waiting, limits: sorted(waiting, key=lambda item: item.tokens)[: limits.max_items],
        lambda waiting, limits: list(waiting[:1]),
        lambda waiting, limits: [waiting[0], waiting[0]],
    ],
    ids=["takes what comes", "forgets the oldest", "never batches", "runs one twice"],
)
def test_a_choice_that_breaks_a_promise_is_noticed(broken: Choose) -> None:
    with pytest.raises(AssertionError):
        check_batch([100, 100, 12, 500, 100, 11], broken)


def test_neighbours_in_length_run_together() -> None:
    waiting = [Waiting(number, tokens) for number, tokens in enumerate([50, 200, 52, 10, 49])]

    assert [item.tokens for item in choose_batch(waiting, LIMITS)] == [50, 49, 52]


@pytest.mark.parametrize(
    ("query_wait_s", "document_wait_s", "last", "expected"),
    [
        (0.0, None, "query", "query"),
        (None, 0.0, "document", "document"),
        (0.0, 0.4, "query", "query"),
        (0.0, 0.6, "query", "document"),
        (0.0, 0.6, "document", "query"),
    ],
)
def test_queries_go_first_and_documents_do_not_starve(
    query_wait_s: float | None, document_wait_s: float | None, last: RequestClass, expected: RequestClass
) -> None:
    assert choose_class(query_wait_s, document_wait_s, last=last, max_delay_s=0.5) == expected


@given(st.lists(st.integers(), min_size=2))
def test_halves_lose_nothing_and_both_are_smaller(batch: list[int]) -> None:
    first, second = halves(batch)

    assert first + second == batch
    assert first
    assert second
