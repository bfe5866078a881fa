"""Every request has exactly one outcome, the right one: a property, and faults that must break it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haylift_endpoint.batching.engine import Engine, Results
from haylift_endpoint.batching.items import WorkItem
from haylift_endpoint.batching.worker import BatchWorker
from haylift_endpoint.errors import DeadlineExceeded, ModelFailure
from haylift_endpoint.ports import Prepared, Text, Vector
from tests.fakes import CountingObserver, FakeModel, call, expected_row, make_engine, running

WORDS = (
    "alpha",
    "beta gamma",
    "delta epsilon zeta",
    "one two three four five six",
    "poison pill",
    "nan bread",
)


@dataclass(frozen=True)
class Asked:
    texts: tuple[str, ...]
    is_query: bool
    ending: Literal["waits", "leaves", "is too late"]


ASKED = st.builds(
    Asked,
    texts=st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(tuple),
    is_query=st.booleans(),
    ending=st.sampled_from(("waits", "waits", "waits", "leaves", "is too late")),
)


async def _ask(engine: Engine, asked: Asked) -> Results:
    terms = call(within_s=-1.0 if asked.ending == "is too late" else 10.0, is_query=asked.is_query)
    return await engine.answer([Text(text, terms.request_class) for text in asked.texts], terms)


def _assert_right(asked: Asked, task: asyncio.Task[Results]) -> None:
    if task.cancelled():
        assert asked.ending == "leaves"
        return
    error = task.exception()
    if asked.ending == "is too late":
        assert isinstance(error, DeadlineExceeded)
    elif any("poison" in text or "nan" in text for text in asked.texts):
        assert isinstance(error, ModelFailure)
    else:
        assert error is None
        assert [list(row) for row in task.result().rows] == [expected_row(text) for text in asked.texts]


async def check_outcomes(
    all_asked: Sequence[Asked],
    *,
    model: FakeModel | None = None,
    split: Callable[[Sequence[WorkItem]], list[list[WorkItem]]] | None = None,
    worker_class: type[BatchWorker] = BatchWorker,
    patience_s: float = 8.0,
) -> None:
    """Asks everything at once and looks at each outcome; whoever has none in time counts as lost."""
    observer = CountingObserver()
    broken = {"split": split} if split else {}
    async with running(
        make_engine(model or FakeModel(), worker_class=worker_class, observer=observer, **broken)  # type: ignore[arg-type]
    ) as engine:
        tasks = [asyncio.create_task(_ask(engine, asked)) for asked in all_asked]
        await asyncio.sleep(0)
        for asked, task in zip(all_asked, tasks, strict=True):
            if asked.ending == "leaves":
                task.cancel()
        _, lost = await asyncio.wait(tasks, timeout=patience_s)
        for task in lost:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert not lost, f"{len(lost)} requests never got an outcome"
        for asked, task in zip(all_asked, tasks, strict=True):
            _assert_right(asked, task)
        assert engine.line.queued_tokens == 0
        assert len(observer.kinds) <= sum(len(asked.texts) for asked in all_asked)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(ASKED, min_size=1, max_size=12))
def test_every_request_gets_its_own_outcome(all_asked: list[Asked]) -> None:
    asyncio.run(check_outcomes(all_asked))


MIXED = [
    Asked(("alpha", "poison pill"), is_query=False, ending="waits"),
    Asked(("beta gamma", "alpha"), is_query=False, ending="waits"),
    Asked(("nan bread",), is_query=True, ending="waits"),
    Asked(("delta epsilon zeta", "alpha", "beta gamma"), is_query=True, ending="waits"),
]


HEALTHY = [Asked(("alpha", "beta gamma", "delta epsilon zeta"), is_query=False, ending="waits")]


def _drops_one(batch: Sequence[WorkItem]) -> list[list[WorkItem]]:
    return [list(batch[:1]), list(batch[2:])]


def _never_splits(batch: Sequence[WorkItem]) -> list[list[WorkItem]]:
    return [[item] for item in batch[:0]]


class SwappingModel(FakeModel):
    """Gives its rows in the wrong order."""

    def forward(self, batch: Sequence[Prepared]) -> Vector:
        return super().forward(batch)[::-1]


class ForgetfulWorker(BatchWorker):
    """Leaves a failed batch alone, and lacks the net that would catch it."""

    async def run(self) -> None:
        while True:
            batch = await self._line.take()
            try:
                rows = await self._forward([item.prepared for item in batch])
            except RuntimeError:
                continue
            await self._deliver(batch, rows)


@pytest.mark.parametrize("all_asked", [MIXED, HEALTHY])
async def test_these_requests_are_well_without_a_fault(all_asked: list[Asked]) -> None:
    await check_outcomes(all_asked)


@pytest.mark.parametrize("split", [_drops_one, _never_splits])
async def test_a_splitter_that_loses_items_is_noticed(
    split: Callable[[Sequence[WorkItem]], list[list[WorkItem]]],
) -> None:
    with pytest.raises(AssertionError):
        await check_outcomes(MIXED, split=split)


async def test_rows_given_to_the_wrong_request_are_noticed() -> None:
    with pytest.raises(AssertionError):
        await check_outcomes(HEALTHY, model=SwappingModel())


async def test_a_worker_that_forgets_a_failed_batch_is_noticed() -> None:
    with pytest.raises(AssertionError, match="never got an outcome"):
        await check_outcomes(MIXED, worker_class=ForgetfulWorker, patience_s=0.3)
