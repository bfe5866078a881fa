"""Batches: one outcome for each search, in order, whatever the others are."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from haylift.domain.errors import HayliftError, IndexUnavailable, InvalidInput
from haylift.domain.identity import Scope
from haylift.domain.search import SearchAnswer, SearchMode, SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.ports import TenantCount
from haylift.resilience import Deadline
from haylift.services.batch import BatchSearchService
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService
from haylift.telemetry import Metric
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, chunk, filled_index
from tests.unit.search.system import System

PATHS = ["/v1/search/batch", "/batch-search"]
KEY_SEARCH = {"query": "lost key", "top_k": 3}
OFFICE_SEARCH = {"query": "office opens", "mode": "keyword"}


@pytest.mark.parametrize("path", PATHS)
def test_each_search_has_its_answer_in_order(path: str) -> None:
    answer = System().post(path, {"searches": [KEY_SEARCH, {"query": "zebra", "mode": "keyword"}]})

    assert answer.status == 200
    body = answer.json()
    assert body.pop("took_ms") >= 0
    assert body.pop("request_id") == "request-1"
    first, second = body.pop("results")
    assert body == {}
    assert first["status"] == second["status"] == 200
    assert [result["title"] for result in first["results"]] == ["Harbour handbook"]
    assert second["results"] == []
    assert (first["from_cache"], first["degraded"], first["request_id"]) == (False, False, "request-1")


@pytest.mark.parametrize("path", PATHS)
def test_the_bare_list_of_the_guides_is_a_batch(path: str) -> None:
    answer = System().post(path, [KEY_SEARCH])

    assert [item["status"] for item in answer.json()["results"]] == [200]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"query": ""}, "empty_query"),
        ({"query": "x" * 5_001}, "query_too_long"),
        ({"query": "a", "top_k": 0}, "top_k_out_of_range"),
        ({"query": "a", "filters": {"field": "meta.x", "operator": "~", "value": 1}}, "invalid_filter"),
        (
            {"query": "a", "filters": {"field": "tenant", "operator": "==", "value": "globex"}},
            "invalid_filter",
        ),
        ({"query": "a", "colour": "red"}, "invalid_request"),
        ({"query": "\ud800"}, "invalid_request"),
        ({}, "invalid_request"),
        ("text", "invalid_request"),
        (None, "invalid_request"),
        ([KEY_SEARCH], "invalid_request"),
    ],
)
def test_a_malformed_search_is_its_own_error(item: object, code: str) -> None:
    raw = json.dumps({"searches": [KEY_SEARCH, item, OFFICE_SEARCH]})

    answer = System().post("/v1/search/batch", raw=raw)

    assert answer.status == 200
    before, refused, after = answer.json()["results"]
    assert (before["status"], after["status"]) == (200, 200)
    assert refused["status"] == 400
    assert refused["error"]["code"] == code
    assert refused["error"]["type"] == f"urn:haylift:problem:{code}"
    assert refused["error"]["title"] == "Bad request"
    assert refused["error"]["detail"]


def test_an_error_names_its_place() -> None:
    answer = System().post("/v1/search/batch", {"searches": [{"query": "a", "top_k": 101}]})

    (refused,) = answer.json()["results"]
    assert refused["error"]["errors"][0]["where"] == "top_k"


@pytest.mark.parametrize(
    "search",
    [{"query": ""}, {"query": "", "top_k": 0}, {}, {"query": "a", "filters": {"field": "x"}}, {"query": 5}],
)
def test_an_item_is_refused_in_the_words_of_a_search_alone(search: dict[str, object]) -> None:
    alone = System().post("/v1/search", search).json()
    (item,) = System().post("/v1/search/batch", {"searches": [search]}).json()["results"]

    same = ("code", "detail", "errors", "title", "type")
    assert {name: item["error"][name] for name in same} == {name: alone[name] for name in same}


@pytest.mark.parametrize("searches", [[], [KEY_SEARCH] * 51])
@pytest.mark.parametrize("is_bare", [False, True])
def test_a_batch_has_1_to_50_searches(searches: list[object], is_bare: bool) -> None:
    answer = System().post("/v1/search/batch", searches if is_bare else {"searches": searches})

    assert (answer.status, answer.json()["code"]) == (400, "batch_size_out_of_range")


def test_fifty_searches_are_answered() -> None:
    searches = [{"query": f"key {number}"} for number in range(50)]

    assert len(System().post("/v1/search/batch", searches).json()["results"]) == 50


@pytest.mark.parametrize("body", [{}, {"searches": {}}, {"searches": "a"}, "text", None, 5, {"queries": []}])
def test_what_is_no_batch_is_400(body: Any) -> None:
    answer = System().post("/v1/search/batch", raw=json.dumps(body))

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("raw", ["{", "", "[" * 100_000])
def test_bad_json_is_400(raw: str) -> None:
    assert System().post("/v1/search/batch", raw=raw).status == 400


def test_searches_that_mean_the_same_run_once() -> None:
    system = System()
    searches = [KEY_SEARCH, OFFICE_SEARCH, {"query": " lost  key ", "top_k": 3, "filters": {}}]

    first, _, third = system.post("/v1/search/batch", searches).json()["results"]

    assert len(system.index.queries) == 2
    assert first["results"] == third["results"]


def test_one_and_true_are_not_the_same_filter() -> None:
    system = System()
    searches = [
        {"query": "key", "filters": {"field": "meta.n", "operator": "==", "value": value}}
        for value in (1, True, 1.0)
    ]

    system.post("/v1/search/batch", searches)

    assert len(system.index.queries) == 3


def test_without_index_every_search_of_a_batch_is_503() -> None:
    system = System(index=FaultyIndex(fault=IndexUnavailable("gone")))

    answer = system.post("/v1/search/batch", [KEY_SEARCH, OFFICE_SEARCH])

    assert answer.status == 200
    assert [(item["status"], item["error"]["code"]) for item in answer.json()["results"]] == [
        (503, "index_unavailable"),
        (503, "index_unavailable"),
    ]
    assert system.telemetry.dimensions_of(Metric.SEARCH_QUERIES) == [
        {"query_type": "hybrid", "has_results": "error"},
        {"query_type": "keyword", "has_results": "error"},
    ]


MODES = {"keyword": {"query": "key", "mode": "keyword"}, "bad": {"query": ""}}


def failures_are_told_by_share(
    searches: list[dict[str, Any]], fault: HayliftError | None, ratio: float
) -> None:
    """The check: of a batch the metric has the share of searches that failed on our side."""
    system = System(index=FaultyIndex(fault=fault))

    answer = system.post("/batch-search", searches)

    told = [
        (value, where) for name, value, where in system.telemetry.records if name is Metric.REQUEST_FAILURES
    ]
    assert (answer.status, told) == (200, [(ratio, {"endpoint": "/v1/search/batch"})])


@pytest.mark.parametrize(
    ("searches", "fault", "ratio"),
    [
        ([MODES["keyword"], OFFICE_SEARCH], IndexUnavailable("gone"), 1.0),
        ([MODES["keyword"], MODES["bad"], MODES["bad"], MODES["bad"]], IndexUnavailable("gone"), 0.25),
        ([MODES["bad"]], None, 0.0),
        ([MODES["keyword"]], None, 0.0),
    ],
)
def test_failures_are_told_by_share(
    searches: list[dict[str, Any]], fault: HayliftError | None, ratio: float
) -> None:
    failures_are_told_by_share(searches, fault, ratio)


def test_a_batch_that_tells_nothing_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.search.app.note_failed_ratio", lambda *_: None)

    with pytest.raises(AssertionError):
        failures_are_told_by_share([OFFICE_SEARCH], IndexUnavailable("gone"), 1.0)


class SlowIndex(FaultyIndex):
    """Each retrieval takes 10 s of the clock."""

    time: FakeTime

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        self.time.sleep(10.0)


def answered(items: list[SearchRequest | HayliftError], *, seconds_each: float = 0.0) -> list[str]:
    """The code of each outcome, or `ok`, in a batch of 25 s."""
    time = FakeTime()
    index = filled_index(chunk("A lost key."))
    if seconds_each:
        index = SlowIndex()
        index.time = time
    pipeline = HaystackQueryPipeline(query_pipeline(index, FakeModels()))
    cache = QueryCache(InMemorySharedCache(), InMemoryTenants(), monotonic=time.now)
    search = SearchService(pipeline, cache, RecordedTelemetry(), model="bge")
    batch = BatchSearchService(search, perf_counter=time.now)
    outcomes = batch.search(items, Scope(tenant="acme"), Deadline.after(25.0, time.now))
    return ["ok" if isinstance(one.result, SearchAnswer) else one.result.code for one in outcomes]


def test_what_the_deadline_does_not_reach_is_a_timeout() -> None:
    items: list[SearchRequest | HayliftError] = [
        SearchRequest(query=f"key {number}", mode=SearchMode.KEYWORD) for number in range(5)
    ]

    assert answered(items, seconds_each=10.0) == ["ok", "ok", "ok", "timeout", "timeout"]


REFUSED = InvalidInput("no", code="invalid_filter")


@given(st.lists(st.sampled_from(["a", "b", "c", "a  b", REFUSED]), max_size=20))
def test_outcomes_stand_where_their_searches_stood(kinds: list[str | HayliftError]) -> None:
    items = [kind if isinstance(kind, HayliftError) else SearchRequest(query=kind) for kind in kinds]

    expected = ["invalid_filter" if isinstance(kind, HayliftError) else "ok" for kind in kinds]
    assert answered(items) == expected
