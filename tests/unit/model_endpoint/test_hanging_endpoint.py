"""An endpoint that takes calls and never answers: who waits how long, on a virtual clock."""

import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import CallPolicy, ModelInvoker
from haylift.domain.errors import DeadlineExceeded, ModelUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import SearchMode, SearchRequest
from haylift.pipelines.components.hybrid_retriever import EMBEDDING_PATIENCE_S, HybridRetriever
from haylift.resilience import CircuitBreaker, RetryBudget
from haylift.services.answer import RERANK_PATIENCE_S

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.index import InMemoryIndex
from tests.fakes.runtime import embeddings
from tests.fakes.search import FakeTime

ACME = Scope(tenant="acme")
SEARCH_S = 25.0
"""What a caller of the API waits."""


@dataclass
class Endpoint:
    """Hangs or answers; a client gives up after the read time-out that it was made with."""

    time: FakeTime
    hangs: bool = True
    called_at: list[float] = field(default_factory=list)

    def client(self, read_timeout_s: float) -> Any:
        return _Client(self, read_timeout_s)


@dataclass
class _Client:
    endpoint: Endpoint
    read_timeout_s: float

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.endpoint.called_at.append(self.endpoint.time.now())
        if self.endpoint.hangs:
            self.endpoint.time.seconds += self.read_timeout_s
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
        self.endpoint.time.seconds += 0.05
        if json.loads(call["Body"])["task"] == "rerank":
            return {"Body": io.BytesIO(b'{"results": [{"index": 0, "relevance_score": 0.5}]}')}
        return {"Body": io.BytesIO(json.dumps(embeddings([1.0])).encode())}


class System:
    """One process that answers one request after the other."""

    def __init__(
        self, make_policy: Callable[..., CallPolicy], patience_s: float = EMBEDDING_PATIENCE_S
    ) -> None:
        self.time = FakeTime()
        self.endpoint = Endpoint(self.time)
        policy = make_policy(self.time)
        self.breaker = policy.breaker
        invoker = ModelInvoker("embed", RecordedTelemetry(), make=self.endpoint.client, policy=policy)
        self.models = SageMakerModels(invoker, "m")
        self._retriever = HybridRetriever(InMemoryIndex(), self.models, patience_s)

    def search(self, mode: SearchMode = SearchMode.HYBRID) -> float:
        """How long a search took, in seconds."""
        started = self.time.now()
        request = SearchRequest(query="lost keys", mode=mode)
        try:
            self._retriever.run(request, ACME, "g1", self.time.deadline(SEARCH_S))
        except (ModelUnavailable, DeadlineExceeded):
            assert mode is SearchMode.SEMANTIC
        return self.time.now() - started

    def question(self) -> float:
        """How long a question took: the search for its passages, then one reranking."""
        started = self.time.now()
        self.search()
        with suppress(ModelUnavailable, DeadlineExceeded):
            self.models.rerank("lost keys", ["They lie here."], self.time.deadline(RERANK_PATIENCE_S))
        return self.time.now() - started

    def semantic(self) -> float:
        return self.search(SearchMode.SEMANTIC)


def standing(time: FakeTime) -> CallPolicy:
    return CallPolicy(
        breaker=CircuitBreaker(now=time.now), budget=RetryBudget(), sleep=time.sleep, draw=lambda: 0.5
    )


def former(time: FakeTime) -> CallPolicy:
    """The fault: the parameters with which the breaker never opened."""
    return CallPolicy(
        breaker=CircuitBreaker(hang_limit=3, hang_window_s=5.0, now=time.now),
        budget=RetryBudget(),
        embed_wait_s=55.0,
        doubtful_wait_s=55.0,
        probe_wait_s=55.0,
        sleep=time.sleep,
        draw=lambda: 0.5,
    )


def opens_in_time(system: System, call: Callable[[System], float]) -> None:
    """The breaker opens within 5 s of the first call that hangs, whoever calls one after the other."""
    started = system.time.now()

    while not system.breaker.is_open and system.time.now() - started < 60.0:
        call(system)
        system.time.seconds += 0.1

    assert system.breaker.is_open
    assert system.time.now() - started <= 5.0


CALLS = [System.search, System.question, System.semantic]


@pytest.mark.parametrize("call", CALLS)
def test_serial_callers_open_the_breaker_within_five_seconds(call: Callable[[System], float]) -> None:
    opens_in_time(System(standing), call)


@pytest.mark.parametrize("call", CALLS)
def test_the_former_parameters_fail_the_same_check(call: Callable[[System], float]) -> None:
    with pytest.raises(AssertionError):
        opens_in_time(System(former, patience_s=3.0), call)


def test_a_hanging_probe_costs_one_caller_a_second() -> None:
    system = System(standing)
    opens_in_time(system, System.search)
    opened_at = system.time.now()
    system.endpoint.called_at.clear()
    took = []

    while system.time.now() - opened_at < 60.0:
        took.append(system.search())
        system.time.seconds += 0.05

    gaps = [
        later - earlier
        for earlier, later in zip(system.endpoint.called_at, system.endpoint.called_at[1:], strict=False)
    ]
    assert max(took) <= 1.2
    assert min(gaps) >= 1.0
    assert sorted(took)[len(took) // 2] == 0.0


def test_a_question_without_model_takes_five_seconds_at_most() -> None:
    system = System(standing)

    first, *later = [system.question() for _ in range(10)]

    assert first <= 5.0
    assert max(later) <= 1.2


@pytest.mark.parametrize("call", [System.search, System.question, System.semantic])
def test_it_closes_within_ten_seconds_of_recovery(call: Callable[[System], float]) -> None:
    system = System(standing)
    opens_in_time(system, call)
    for _ in range(20):
        call(system)
        system.time.seconds += 0.05

    system.endpoint.hangs = False
    recovered_at = system.time.now()
    while system.breaker.is_open:
        call(system)
        system.time.seconds += 0.05

    assert system.time.now() - recovered_at <= 10.0


def test_one_slow_answer_among_good_ones_keeps_it_closed() -> None:
    system = System(standing)

    for number in range(20):
        system.endpoint.hangs = number % 2 == 0
        system.search()
        system.time.seconds += 0.1

    assert not system.breaker.is_open


def test_late_documents_tell_it_nothing() -> None:
    system = System(standing)

    for _ in range(5):
        with pytest.raises((ModelUnavailable, DeadlineExceeded)):
            system.models.embed_documents(["a text"], system.time.deadline(4.0))

    assert not system.breaker.is_in_doubt


def test_a_semantic_search_is_told_which_modes_go_on() -> None:
    system = System(standing)
    opens_in_time(system, System.semantic)
    retriever = HybridRetriever(InMemoryIndex(), system.models)
    request = SearchRequest(query="lost keys", mode=SearchMode.SEMANTIC)

    with pytest.raises(ModelUnavailable) as caught:
        retriever.run(request, ACME, "g1", system.time.deadline(SEARCH_S))

    assert caught.value.detail == (
        "The model endpoint does not answer at the moment. "
        "Search with `mode` hybrid or keyword, or try again in 1 s."
    )
