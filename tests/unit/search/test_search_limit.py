"""What the limit of searches is to a caller: counted by user, told in every answer, and 429 beyond."""

from typing import Any

import pytest
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Principal, Role
from haylift.telemetry import Metric

from tests.fakes.gateway import Answer, Gateway, principal
from tests.fakes.limits import MemoryRateLimiter, MemoryTenantLimits
from tests.fakes.search import FaultyIndex
from tests.unit.search.system import System

SEARCH: tuple[str, Any] = ("/v1/search", {"query": "key"})
GUIDES_SEARCH: tuple[str, Any] = ("/search", {"query": "key"})
QUESTION: tuple[str, Any] = ("/v1/query", {"text": "key?"})
GUIDES_QUESTION: tuple[str, Any] = ("/query", {"text": "key?"})
BATCH: tuple[str, Any] = ("/v1/search/batch", [{"query": "key"}, {"query": "office"}])


def limits_of(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("ratelimit")}


@pytest.mark.parametrize("call", [SEARCH, GUIDES_SEARCH, QUESTION, GUIDES_QUESTION])
def test_every_answer_tells_what_is_left(call: tuple[str, Any]) -> None:
    answer = System(searches_per_minute=60).post(*call)

    assert answer.status == 200
    assert limits_of(answer) == {
        "ratelimit-policy": '"search";q=60;w=60',
        "ratelimit": '"search";r=59;t=60',
        "ratelimit-limit": "60",
        "ratelimit-remaining": "59",
        "ratelimit-reset": "60",
    }
    assert "retry-after" not in answer.headers


def test_searches_and_questions_and_items_of_batches_count_together() -> None:
    system = System(searches_per_minute=5)

    answers = [system.post(*call) for call in (SEARCH, BATCH, GUIDES_QUESTION, BATCH, GUIDES_SEARCH, SEARCH)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "2", "1", "1", "0", "0"]
    assert system.telemetry.dimensions_of(Metric.RATE_LIMITED) == [{"limit": "search"}] * 2


def test_beyond_the_limit_it_is_429_with_the_time_to_wait() -> None:
    system = System(searches_per_minute=1)
    system.post(*SEARCH)
    system.limiter.time.sleep(20.5)

    answer = system.post(*SEARCH)

    assert (answer.status, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "40"
    assert limits_of(answer)["ratelimit"] == '"search";r=0;t=40'
    assert len(system.index.queries) == 1


def test_the_window_slides() -> None:
    system = System(searches_per_minute=2)
    statuses = []
    for wait_s in (0.0, 30.0, 29.999999, 0.000002, 29.999998, 0.000002):
        system.limiter.time.sleep(wait_s)
        statuses.append(system.post(*SEARCH).status)

    assert statuses == [200, 200, 429, 200, 429, 200]


def test_a_malformed_request_is_counted_and_told_too() -> None:
    system = System(searches_per_minute=60)

    bodies = ['{"query": ""}', "{", "[" * 100_000]
    answers = [system.post("/v1/search", raw=raw) for raw in bodies]
    answers += [system.post("/v1/search/batch", raw=raw) for raw in ("[]", "{", "5")]

    assert {answer.status for answer in answers} == {400}
    remaining = [answer.headers["ratelimit-remaining"] for answer in answers]
    assert remaining == ["59", "58", "57", "56", "55", "54"]


def test_failures_tell_what_is_left_too() -> None:
    system = System(index=FaultyIndex(fault=IndexUnavailable("gone")), searches_per_minute=60)

    answer = system.post(*SEARCH)

    assert (answer.status, answer.headers["ratelimit-remaining"]) == (503, "59")


def test_users_do_not_share_a_limit() -> None:
    system = System(searches_per_minute=1)
    callers = [
        principal(Role.READER),
        principal(Role.EDITOR),
        principal(Role.READER, tenant="globex"),
        principal(Role.READER),
    ]

    assert [system.post(*SEARCH, caller=caller).status for caller in callers] == [200, 200, 200, 429]


def test_a_tenant_may_have_its_own_limit() -> None:
    system = System(searches_per_minute=60, tenant_limits=MemoryTenantLimits({"acme": 2, "free": 0}))

    own = system.post(*SEARCH)
    unlimited = system.post(*SEARCH, caller=principal(Role.READER, tenant="free"))

    assert own.headers["ratelimit-policy"] == '"search";q=2;w=60'
    assert limits_of(unlimited) == {}


def test_a_batch_that_no_minute_has_room_for_is_refused_as_too_large() -> None:
    system = System(searches_per_minute=3)

    answer = system.post("/v1/search/batch", [{"query": str(number)} for number in range(4)])

    assert (answer.status, answer.json()["code"]) == (400, "batch_size_out_of_range")
    assert "3 searches a minute" in answer.json()["detail"]
    assert answer.headers["ratelimit-remaining"] == "3"
    assert "retry-after" not in answer.headers
    assert system.telemetry.dimensions_of(Metric.RATE_LIMITED) == []


def test_without_a_limit_nothing_is_counted() -> None:
    system = System(searches_per_minute=0)

    answer = system.post(*SEARCH)

    assert (limits_of(answer), system.limiter.calls) == ({}, 0)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_is_never_limited(path: str) -> None:
    system = System(searches_per_minute=1)
    system.post(*SEARCH)

    answers = [system.get(path) for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert limits_of(answers[0]) == {}


def test_while_the_counter_is_down_this_process_counts() -> None:
    system = System(searches_per_minute=2, limiter=MemoryRateLimiter(is_down=True))

    answers = [system.post(*SEARCH) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert system.limiter.calls == 1
    assert system.telemetry.dimensions_of(Metric.RATE_LIMIT_FALLBACKS) == [{"limit": "search"}] * 3


def test_the_counter_is_asked_again_after_a_second() -> None:
    system = System(searches_per_minute=2, limiter=MemoryRateLimiter(is_down=True))
    system.post(*SEARCH)
    system.limiter.is_down = False
    system.time.sleep(1.0)

    answer = system.post(*SEARCH)

    assert answer.headers["ratelimit-remaining"] == "1"
    assert system.limiter.calls == 2


@pytest.mark.parametrize("caller", [None, Principal(subject="x", tenant="acme", role=Role.READER)])
def test_who_may_not_search_is_not_counted(caller: Principal | None) -> None:
    system = System(searches_per_minute=60)

    answer = Gateway(system.app, caller).request("POST", *SEARCH)

    assert answer.status in {401, 403}
    assert system.limiter.calls == 0
