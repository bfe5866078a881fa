"""What happens when the model misbehaves or callers leave: each failure known from other servers."""

import asyncio
import threading

import pytest

from haylift_endpoint.batching.engine import Engine, Results
from haylift_endpoint.batching.lane import ThreadLane
from haylift_endpoint.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelFailure,
    ModelStuck,
    Overloaded,
    Unavailable,
)
from tests.fakes import FakeModel, call, expected_row, ids, make_engine, running, texts, until


def ask(engine: Engine, *words: str, within_s: float = 10.0, is_query: bool = False) -> asyncio.Task[Results]:
    return asyncio.create_task(engine.answer(texts(*words), call(within_s=within_s, is_query=is_query)))


def rows(results: Results) -> list[list[float]]:
    return [list(row) for row in results.rows]


class Held:
    """An engine whose model is busy with a first request until `release`."""

    def __init__(self, *, max_queued_tokens: int = 100_000, run_timeout_s: float = 20.0) -> None:
        self.gate = threading.Event()
        self.model = FakeModel(gate=self.gate)
        self.lane = ThreadLane()
        self.engine = make_engine(
            self.model, lane=self.lane, max_queued_tokens=max_queued_tokens, run_timeout_s=run_timeout_s
        )

    async def __aenter__(self) -> "Held":
        self.engine.start()
        self.first = ask(self.engine, "first")
        await until(self.model.entered.is_set)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await asyncio.gather(self.first, return_exceptions=True)
        await self.engine.stop()
        self.lane.close()

    def ran(self, text: str) -> bool:
        return any(ids(text) in batch for batch in self.model.seen)


async def test_one_bad_input_fails_alone_and_the_next_request_is_served() -> None:
    model = FakeModel()
    async with running(make_engine(model)) as engine:
        bad, good = ask(engine, "poison"), ask(engine, "fine words")

        assert rows(await good) == [expected_row("fine words")]
        with pytest.raises(ModelFailure):
            await bad
        assert rows(await ask(engine, "later")) == [expected_row("later")]
        assert not engine.needs_restart()


async def test_a_spoilt_row_does_not_spoil_its_neighbours() -> None:
    async with running(make_engine(FakeModel())) as engine:
        bad, good = ask(engine, "nan"), ask(engine, "fine words")

        assert rows(await good) == [expected_row("fine words")]
        with pytest.raises(ModelFailure):
            await bad


async def test_a_run_that_tries_to_exit_ends_neither_thread_nor_server() -> None:
    model, lane = FakeModel(), ThreadLane()
    model.error = SystemExit
    async with running(make_engine(model, lane=lane)) as engine:
        with pytest.raises(ModelFailure):
            await ask(engine, "poison")

        assert rows(await ask(engine, "later")) == [expected_row("later")]
    lane.close()


async def test_a_stuck_model_is_told_to_all_who_wait_and_recovers() -> None:
    async with Held(run_timeout_s=0.05) as held:
        neighbour = ask(held.engine, "neighbour")

        with pytest.raises(ModelStuck):
            await neighbour
        with pytest.raises(ModelStuck) as told:
            await held.first
        assert told.value.retry_after_s
        assert held.engine.needs_restart()
        with pytest.raises(ModelStuck):
            await ask(held.engine, "newcomer")

        held.gate.set()
        await until(lambda: held.engine.fault() is None)
        assert rows(await ask(held.engine, "later")) == [expected_row("later")]
        assert not held.engine.needs_restart()


async def test_a_broken_model_is_told_from_a_bad_input() -> None:
    model = FakeModel()
    async with running(make_engine(model)) as engine:
        model.is_down = True
        with pytest.raises(Unavailable):
            await ask(engine, "fine")
        assert engine.needs_restart()

        model.is_down = False
        await ask(engine, "fine")
        assert not engine.needs_restart()


async def test_a_cancelled_request_never_reaches_the_model() -> None:
    async with Held() as held:
        leaver, stayer = ask(held.engine, "leaver"), ask(held.engine, "stayer")
        await until(lambda: held.engine.line.waiting("document") == 2)

        leaver.cancel()
        await until(lambda: held.engine.line.waiting("document") == 1)
        held.gate.set()

        await stayer
        assert held.ran("stayer")
        assert not held.ran("leaver")


async def test_an_expired_request_never_reaches_the_model() -> None:
    async with Held() as held:
        late, patient = ask(held.engine, "late", within_s=0.05), ask(held.engine, "patient")

        with pytest.raises(DeadlineExceeded):
            await late
        held.gate.set()

        await patient
        assert not held.ran("late")
        assert held.engine.line.queued_tokens == 0


async def test_a_full_line_refuses_at_once_and_says_when_to_come_back() -> None:
    async with Held(max_queued_tokens=3) as held:
        waiting = ask(held.engine, "one two three")
        await until(lambda: held.engine.line.queued_tokens == 3)

        with pytest.raises(Overloaded) as told:
            await ask(held.engine, "four")

        assert told.value.retry_after_s is not None
        assert 0 < told.value.retry_after_s <= 30
        held.gate.set()
        assert rows(await waiting) == [expected_row("one two three")]
        assert rows(await ask(held.engine, "four")) == [expected_row("four")]


async def test_what_cannot_be_ready_in_time_is_refused_at_once() -> None:
    async with Held() as held:
        held.engine.line.note_run(tokens=1, model_s=1e6)
        ahead = ask(held.engine, "ahead of you")
        await until(lambda: held.engine.line.waiting("document") == 1)

        with pytest.raises(Overloaded, match="deadline"):
            await ask(held.engine, "too late")
        overtaking = ask(held.engine, "queries overtake", is_query=True)
        await until(lambda: held.engine.line.waiting("query") == 1)
        held.gate.set()

        await asyncio.gather(ahead, overtaking)


async def test_an_empty_line_lets_in_whatever_its_speed_was() -> None:
    async with running(make_engine(FakeModel())) as engine:
        engine.line.note_run(tokens=1, model_s=1e6)

        assert rows(await ask(engine, "first again")) == [expected_row("first again")]


async def test_a_request_longer_than_the_whole_line_is_the_callers_fault() -> None:
    async with running(make_engine(FakeModel(), max_queued_tokens=3)) as engine:
        with pytest.raises(InvalidRequest):
            await ask(engine, "one two", "three four")


async def test_queries_overtake_documents() -> None:
    async with Held() as held:
        documents = ask(held.engine, "document one", "document two")
        await until(lambda: held.engine.line.waiting("document") == 2)
        query = ask(held.engine, "who asks", is_query=True)
        await until(lambda: held.engine.line.waiting("query") == 1)
        held.gate.set()

        await asyncio.gather(documents, query)
        assert [ids("who asks") in batch for batch in held.model.seen] == [False, True, False]


async def test_what_waits_together_runs_together() -> None:
    async with Held() as held:
        await asyncio.sleep(0)
        requests = [ask(held.engine, f"text{number} x") for number in range(4)]
        await until(lambda: held.engine.line.waiting("document") == 4)
        held.gate.set()

        await asyncio.gather(*requests)
        assert [len(batch) for batch in held.model.seen] == [1, 4]


async def test_closing_the_line_ends_what_waits_but_not_what_runs() -> None:
    async with Held() as held:
        waiting = ask(held.engine, "waiting")
        await until(lambda: held.engine.line.waiting("document") == 1)

        held.engine.close_line()

        with pytest.raises(Unavailable):
            await waiting
        held.gate.set()
        assert rows(await held.first) == [expected_row("first")]
        assert not held.engine.needs_restart()


async def test_stopping_answers_the_running_request_too() -> None:
    held = Held()
    async with held:
        await held.engine.stop()
        with pytest.raises(Unavailable):
            await held.first
