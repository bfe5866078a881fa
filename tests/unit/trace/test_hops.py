"""One request leaves exactly its hops, with times and outcomes and nothing that a user wrote."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from haylift import tracing
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import CallPolicy, ModelInvoker
from haylift.domain.errors import CacheUnavailable, IndexUnavailable, ModelUnavailable
from haylift.pipelines.components import hybrid_retriever
from haylift.resilience import Deadline, RetryBudget
from haylift.telemetry import request_id
from haylift.tracing import Hop, HopNote, annotate, fail, hop, tally

from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.runtime import FakeRuntime, embeddings, model_error
from tests.fakes.search import FakeModels, FaultyIndex
from tests.unit.search.system import System
from tests.unit.trace.lines import Lines, written

EACH_MS = 0.2
"""What a hop may cost (docs/decisions/0030-hops-are-log-lines.md)."""


def searched(system: System, query: str = "lost key", **more: object) -> Lines:
    with written() as lines:
        system.post("/v1/search", {"query": query, **more})
    return lines


def of_search(lines: Lines) -> list[str]:
    """Names of the hops, without those of the limits in front of every search."""
    return [name for name in lines.hops("hop") if name != Hop.RATE_LIMIT]


def a_search_leaves_exactly_its_hops(system: System) -> None:
    first, second = searched(system), searched(system)

    assert of_search(first) == ["tables", "cache", "embedding", "index", "function"]
    assert of_search(second) == ["cache", "function"]
    assert set(first.hops("request_id")) == {"request-1"}
    assert set(first.hops("outcome")) == {"ok"}
    assert all(duration_ms >= 0 for duration_ms in first.hops("duration_ms"))


def test_a_search_leaves_exactly_its_hops() -> None:
    a_search_leaves_exactly_its_hops(System())


def test_a_search_without_one_hop_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def unseen(name: Hop, **_: object) -> Iterator[HopNote]:
        yield HopNote()

    monkeypatch.setattr(hybrid_retriever, "hop", unseen)

    with pytest.raises(AssertionError):
        a_search_leaves_exactly_its_hops(System())


def test_the_hops_say_what_they_found() -> None:
    lines = searched(System())

    facts = dict(lines.hops("hop", "facts"))
    assert facts["cache"] == {"level": "miss"}
    assert facts["index"] == {"mode": "hybrid", "keyword_hits": 1, "semantic_hits": 1}
    assert facts["function"] == {"method": "POST", "endpoint": "/v1/search", "status": 200}


def test_a_question_leaves_a_hop_of_the_cross_encoder() -> None:
    with written() as lines:
        System().post("/v1/query", {"text": "What does a lost key cost?"})

    assert ("rerank", "ok", {"passages": 2}) in lines.hops("hop", "outcome", "facts")


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (System(models=FakeModels(fault=ModelUnavailable("away"))), ("embedding", "model_unavailable")),
        (System(index=FaultyIndex(fault=IndexUnavailable("gone"))), ("index", "index_unavailable")),
        (System(index=FaultyIndex(fault=IndexUnavailable("gone"))), ("function", "index_unavailable")),
        (System(shared=InMemorySharedCache(is_down=True)), ("cache", "cache_unavailable")),
    ],
)
def test_a_hop_says_why_it_failed(system: System, expected: tuple[str, str]) -> None:
    assert CacheUnavailable.code == "cache_unavailable"
    assert expected in searched(system).hops("hop", "outcome")


def test_a_wrong_request_is_an_outcome_of_the_function() -> None:
    with written() as lines:
        System().post("/v1/search", {"query": ""})

    assert lines.hops("hop", "outcome")[-1][0] == "function"
    assert lines.hops("outcome")[-1] != "ok"


HOSTILE = [
    'SECRET-4711\n{"hop": "function"}',
    "SECRET-4711 \x1b[31m",
    "SECRET-4711 _aws",
    "SECRET-4711" * 400,
]


def no_line_says_what_a_user_wrote(system: System, query: str) -> None:
    with written("haylift.trace") as lines:
        system.post("/v1/search", {"query": query, "SECRET-4711": query})
        system.post("/v1/search", {"query": query})
        system.post("/v1/query", {"text": query})
        system.post("/SECRET-4711", {"query": query})
        system.post("/v1/search", raw=query)

    assert "SECRET-4711" not in lines.text
    assert len(lines.text.splitlines()) == len(lines.hops("hop"))


@pytest.mark.parametrize("query", HOSTILE)
def test_no_line_says_what_a_user_wrote(query: str) -> None:
    no_line_says_what_a_user_wrote(System(), query)


def test_a_hop_that_tells_the_query_fails_the_same_check() -> None:
    class Talkative(FakeModels):
        def embed_query(self, text: str, deadline: Deadline) -> Any:
            annotate(text=text)
            return super().embed_query(text, deadline)

    with pytest.raises(AssertionError):
        no_line_says_what_a_user_wrote(System(models=Talkative()), "SECRET-4711")


def models(*answers: Any) -> SageMakerModels:
    policy = CallPolicy(budget=RetryBudget(ratio=0.0, saved=1.0), sleep=lambda _: None)
    runtime = FakeRuntime(list(answers))
    return SageMakerModels(
        ModelInvoker("embed", RecordedTelemetry(), make=lambda _: runtime, policy=policy), "m"
    )


def test_the_hop_of_a_model_call_has_the_endpoints_own_times() -> None:
    answer = embeddings([1.0]) | {"timing": {"queued_ms": 3.25, "model_ms": 11.5}}
    with written() as lines, hop(Hop.EMBEDDING):
        models(model_error(503), answer).embed_query("text", Deadline.after(5.0))

    assert lines.hops("facts") == [{"calls": 2, "call": "ok", "queued_ms": 3.25, "model_ms": 11.5}]


@pytest.mark.parametrize("timing", [None, [], {"queued_ms": "x"}, {"queued_ms": None}])
def test_an_endpoint_without_times_is_no_fault(timing: object) -> None:
    with written() as lines, hop(Hop.EMBEDDING):
        models(embeddings([1.0]) | {"timing": timing}).embed_query("text", Deadline.after(5.0))

    assert lines.hops("facts") == [{"calls": 1, "call": "ok"}]


def test_facts_go_to_the_innermost_hop_and_nowhere_without_one() -> None:
    annotate(lost=1)
    tally(lost=1)
    fail("lost")
    with written() as lines, hop(Hop.INDEX):
        tally(reads=1)
        with hop(Hop.TABLES):
            annotate(table="ledger")
        tally(reads=1)

    assert lines.hops("facts") == [{"table": "ledger"}, {"reads": 2}]


def hops_cost_little(write: Callable[[], None], count: int = 100) -> None:
    rounds_ms = []
    with written():
        for _ in range(5):
            started = time.thread_time()
            for _ in range(count):
                write()
            rounds_ms.append((time.thread_time() - started) * 1_000 / count)
    # CPU time of the best round: what else this machine does is not the hop's.
    assert min(rounds_ms) <= EACH_MS


def one_hop() -> None:
    with hop(Hop.TABLES, table="users"):
        pass


def test_a_hop_costs_little() -> None:
    token = request_id.set("request-1")

    hops_cost_little(one_hop)

    request_id.reset(token)
    assert tracing.OK == "ok"


def test_a_slow_hop_fails_the_same_check() -> None:
    def slow() -> None:
        until = time.thread_time() + 0.0005
        while time.thread_time() < until:
            one_hop()

    with pytest.raises(AssertionError):
        hops_cost_little(slow, count=20)
