"""Searches: cached while the content stays, flagged when degraded, counted always."""

from dataclasses import dataclass, field, replace

import pytest
from haylift.domain.chunks import Hit
from haylift.domain.documents import Epoch
from haylift.domain.errors import HayliftError, IndexUnavailable, ModelUnavailable, StoreUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, Citation, QuestionAnswer, SearchMode, SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services.cached_values import (
    answer_from_bytes,
    answer_to_bytes,
    hits_from_bytes,
    hits_to_bytes,
)
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService
from haylift.telemetry import Metric
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, FaultyTenants, chunk, filled_index

ACME = Scope(tenant="acme")
REQUEST = SearchRequest(query="lost key")


@dataclass
class Process:
    """One process of the search function; several can share index, cache and tenants."""

    index: FaultyIndex = field(default_factory=lambda: filled_index(chunk("A lost key costs twelve euros.")))
    shared: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    tenants: FaultyTenants = field(default_factory=FaultyTenants)
    models: FakeModels = field(default_factory=FakeModels)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    time: FakeTime = field(default_factory=FakeTime)

    def __post_init__(self) -> None:
        cache = QueryCache(self.shared, self.tenants, monotonic=self.time.now)
        pipeline = HaystackQueryPipeline(query_pipeline(self.index, self.models))
        self.service = SearchService(pipeline, cache, self.telemetry, model="bge")

    def search(self, request: SearchRequest = REQUEST, scope: Scope = ACME) -> tuple[list[str], str | None]:
        """The texts found and the level of the cache they came from."""
        answer = self.service.search(request, scope, self.time.deadline(30.0))
        return [hit.chunk.text for hit in answer.hits], answer.cache_level


def test_a_second_search_comes_from_this_process() -> None:
    process = Process()

    answers = [process.search() for _ in range(2)]

    text = ["A lost key costs twelve euros."]
    assert answers == [(text, None), (text, CacheLevel.PROCESS)]
    assert len(process.index.queries) == 1
    assert process.telemetry.dimensions_of(Metric.CACHE_LOOKUPS) == [{"level": "miss"}, {"level": "l1"}]


def test_another_process_gets_it_from_the_shared_cache() -> None:
    first = Process()
    second = Process(index=first.index, shared=first.shared, tenants=first.tenants)
    first.search()

    answer = second.search()

    assert answer == (["A lost key costs twelve euros."], CacheLevel.SHARED)
    assert second.models.queries == []


def test_changed_content_is_seen_by_every_process() -> None:
    first = Process()
    second = Process(index=first.index, shared=first.shared, tenants=first.tenants)
    first.search()
    second.search()

    epoch = Epoch(generation="g1", content_version=1)
    first.tenants.epochs["acme"] = epoch
    first.shared.publish("acme", epoch)

    assert [process.search()[1] for process in (first, second)] == [None, CacheLevel.SHARED]


def test_answers_are_not_shared_across_rights() -> None:
    process = Process()
    process.search()

    others = [Scope(tenant="globex"), Scope(tenant="acme", groups=frozenset({"board"}))]

    assert [process.search(scope=scope)[1] for scope in others] == [None, None]


def test_a_degraded_answer_is_flagged_counted_and_not_kept() -> None:
    process = Process(models=FakeModels(fault=ModelUnavailable("away")))

    degraded = process.service.search(REQUEST, ACME, process.time.deadline(30.0))
    process.models.fault = None
    after = process.service.search(REQUEST, ACME, process.time.deadline(30.0))

    assert (degraded.degraded, degraded.from_cache) == ("no_embeddings", False)
    assert (after.degraded, after.from_cache) == (None, False)
    assert process.telemetry.dimensions_of(Metric.DEGRADED_ANSWERS) == [{"reason": "no_embeddings"}]


def test_without_the_shared_cache_searches_go_on() -> None:
    process = Process(shared=InMemorySharedCache(is_down=True))

    assert [process.search()[1] for _ in range(2)] == [None, None]


def test_queries_are_counted_by_mode_and_result() -> None:
    process = Process()

    process.search()
    process.search(SearchRequest(query="nothing like it", mode=SearchMode.KEYWORD))
    process.index.fault = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        process.search(SearchRequest(query="key", mode=SearchMode.SEMANTIC))

    assert process.telemetry.dimensions_of(Metric.SEARCH_QUERIES) == [
        {"query_type": "hybrid", "has_results": "true"},
        {"query_type": "keyword", "has_results": "false"},
        {"query_type": "semantic", "has_results": "error"},
    ]


@pytest.mark.parametrize("fault", [IndexUnavailable("gone"), StoreUnavailable("gone")])
def test_without_index_or_tables_there_is_no_answer(fault: HayliftError) -> None:
    process = Process()
    process.index.fault = process.tenants.fault = fault

    with pytest.raises(type(fault)):
        process.search()


meta_values = st.one_of(
    st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.lists(st.text())
)


@given(st.text(), st.dictionaries(st.text(), meta_values), st.frozensets(st.text()), st.floats(0, 1))
def test_hits_round_trip_through_the_cache(
    text: str, meta: dict[str, str | int | float | bool | list[str]], groups: frozenset[str], score: float
) -> None:
    hit = Hit(
        chunk=chunk(text, meta=meta, access_groups=groups, headings=("a", "b"), page=2, slide=3, sheet="s"),
        score=score,
        keyword_rank=1,
        keyword_score=2.5,
    )

    assert hits_from_bytes(hits_to_bytes([hit])) == (hit,)


@given(st.text(), st.text(), st.one_of(st.none(), st.integers(1)), st.floats(0, 1))
def test_answers_round_trip_through_the_cache(text: str, quote: str, page: int | None, score: float) -> None:
    citation = Citation(
        document_id="d", key="k", title="t", quote=quote, page=page, slide=page, sheet=quote, score=score
    )
    answer = QuestionAnswer(answer=text, citations=(citation,), success=True)

    assert answer_from_bytes(answer_to_bytes(answer)) == answer
    assert answer_from_bytes(answer_to_bytes(replace(answer, cache_level=CacheLevel.SHARED))) == answer


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[5]", b'[{"chunk": {}}]', b"5", b'{"answer": 1}', b"\xff"]
)
def test_what_is_not_ours_in_the_cache_is_a_miss(value: bytes | None) -> None:
    assert hits_from_bytes(value) is None
    assert answer_from_bytes(value) is None
