"""What operators' flags do to searches and questions."""

import pytest
from haylift.domain.errors import StoreUnavailable
from haylift.domain.flags import Flags
from haylift.services.answer import LIMITED_NOW
from haylift.services.flags import is_shed
from haylift.telemetry import Metric
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.gateway import Answer, Gateway
from tests.fakes.limits import MemoryFlags
from tests.unit.search.system import READER, System

KEYWORD_ONLY = Flags(keyword_only=True)
CALLS = [
    ("/v1/search", {"query": "key"}),
    ("/search", {"query": "key"}),
    ("/v1/query", {"text": "key?"}),
    ("/query", {"text": "key?"}),
    ("/v1/search/batch", [{"query": "key"}]),
    ("/batch-search", [{"query": "key"}]),
]


def resting() -> System:
    return System(flags=MemoryFlags(KEYWORD_ONLY))


def test_a_hybrid_search_goes_by_keywords_and_says_so() -> None:
    system = resting()

    bodies = [system.post("/v1/search", {"query": "lost key"}).json() for _ in range(2)]

    assert [(body["degraded"], body["degraded_reason"]) for body in bodies] == [(True, "keyword_only")] * 2
    assert [body["from_cache"] for body in bodies] == [False, False]
    assert len(bodies[0]["results"]) == 1
    assert system.models.queries == []
    assert system.telemetry.dimensions_of(Metric.DEGRADED_ANSWERS) == [{"reason": "keyword_only"}] * 2


def test_a_keyword_search_is_as_good_as_ever() -> None:
    body = resting().post("/v1/search", {"query": "lost key", "mode": "keyword"}).json()

    assert (body["degraded"], len(body["results"])) == (False, 1)


def test_a_semantic_search_is_503() -> None:
    answer = resting().post("/v1/search", {"query": "lost key", "mode": "semantic"})

    assert (answer.status, answer.json()["code"]) == (503, "keyword_only")
    assert answer.headers["retry-after"] == "30"


def test_a_question_is_answered_by_its_words_without_the_model() -> None:
    system = resting()

    body = system.post("/v1/query", {"text": "What does a lost key cost?"}).json()

    assert body["response"] == "A lost key costs twelve euros."
    assert (body["degraded"], body["degraded_reason"]) == (True, "keyword_only")
    assert (system.models.queries, system.models.pairs) == ([], [])


def test_without_an_answer_it_says_that_answers_are_limited() -> None:
    body = resting().post("/v1/query", {"text": "Which enzyme phosphorylates glycogen?"}).json()

    assert (body["response"], body["success"], body["degraded"]) == (LIMITED_NOW, False, True)


def test_what_was_answered_in_full_still_comes_from_the_cache() -> None:
    system = System()
    system.post("/v1/search", {"query": "lost key"})
    system.flags.flags = KEYWORD_ONLY
    system.time.sleep(5.0)

    body = system.post("/v1/search", {"query": "lost key"}).json()

    assert (body["from_cache"], body["degraded"]) == (True, False)


def test_a_flag_is_seen_after_5_s() -> None:
    system = System()
    degraded = []
    for number, wait_s in enumerate((0.0, 4.9, 0.2)):
        system.time.sleep(wait_s)
        degraded.append(system.post("/v1/search", {"query": f"key {number}"}).json()["degraded"])
        system.flags.flags = KEYWORD_ONLY

    assert degraded == [False, False, True]
    assert system.flags.reads == 2


def test_flags_stay_as_they_were_while_the_table_does_not_answer() -> None:
    system = resting()
    system.post("/v1/search", {"query": "one"})
    system.flags.fault = StoreUnavailable("gone")
    system.time.sleep(5.0)

    body = system.post("/v1/search", {"query": "another"}).json()

    assert body["degraded_reason"] == "keyword_only"


def test_without_any_known_flags_searches_are_as_ever() -> None:
    system = System(flags=MemoryFlags(fault=StoreUnavailable("gone")))

    assert system.post("/v1/search", {"query": "key"}).status == 200


def assert_shed(answer: Answer) -> None:
    assert (answer.status, answer.json()["code"]) == (503, "load_shed")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_shedding_everything_answers_503_before_any_work(path: str, body: object) -> None:
    system = System(flags=MemoryFlags(Flags(shed_percent=100)), searches_per_minute=60)

    assert_shed(system.post(path, body))

    assert (system.limiter.calls, system.shared.calls, system.index.queries) == (0, [], [])
    assert system.telemetry.dimensions_of(Metric.LOAD_SHED) == [{}]


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_is_never_shed(path: str) -> None:
    assert System(flags=MemoryFlags(Flags(shed_percent=100))).get(path).status == 200


def test_a_share_is_drawn_by_request() -> None:
    system = System(flags=MemoryFlags(Flags(shed_percent=50)))

    statuses = [
        Gateway(system.app, READER, request_id=f"request-{number}").request("POST", *CALLS[0]).status
        for number in range(200)
    ]

    assert {200, 503} == set(statuses)
    assert 70 <= statuses.count(503) <= 130


@given(st.text(), st.integers(0, 99))
def test_what_is_shed_stays_shed_when_more_is(request_id: str, percent: int) -> None:
    assert not is_shed(request_id, 0)
    assert is_shed(request_id, 100)
    assert is_shed(request_id, percent + 1) or not is_shed(request_id, percent)


def test_hits_and_misses_make_the_ratio() -> None:
    system = System()
    for _ in range(3):
        system.post("/v1/search", {"query": "key"})

    values = [value for metric, value, _ in system.telemetry.records if metric is Metric.CACHE_HIT_RATIO]
    assert values == [0, 1, 1]
