"""Ratings are counted by user, apart from searches: each is a row that is paid for."""

from typing import Any

import pytest
from haylift.domain.identity import Role
from haylift.telemetry import Metric

from functions.search import gate
from tests.fakes.gateway import principal
from tests.fakes.limits import MemoryRateLimiter
from tests.unit.search.system import System

RATING: dict[str, Any] = {"kind": "answer", "rating": 5}


def rate(system: System, number: int = 0, role: Role = Role.READER) -> Any:
    body = {**RATING, "request_id": f"request-{number}"}
    return system.post("/v1/feedback", body, caller=principal(role))


def no_user_writes_more_rows_than_the_limit(system: System) -> None:
    """The check: with a limit of 3, of 6 ratings 3 become rows, and 3 are told when to come again."""
    answers = [rate(system, number) for number in range(6)]

    assert [answer.status for answer in answers] == [201] * 3 + [429] * 3
    assert len(system.ratings.by_key) == 3
    assert answers[0].headers["ratelimit"] == '"feedback";r=2;t=60'
    assert answers[0].headers["ratelimit-policy"] == '"feedback";q=3;w=60'
    assert (answers[5].headers["retry-after"], answers[5].json()["code"]) == ("60", "too_many_requests")
    assert system.telemetry.dimensions_of(Metric.RATE_LIMITED) == [{"limit": "feedback"}] * 3


def test_no_user_writes_more_rows_than_the_limit() -> None:
    no_user_writes_more_rows_than_the_limit(System(ratings_per_minute=3))


def test_without_counting_the_same_check_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "require_allowance", lambda *_: None)

    with pytest.raises(AssertionError):
        no_user_writes_more_rows_than_the_limit(System(ratings_per_minute=3))


def test_users_and_searches_are_counted_apart() -> None:
    system = System(ratings_per_minute=1, searches_per_minute=1)

    statuses = [
        rate(system).status,
        rate(system, role=Role.EDITOR).status,
        system.post("/v1/search", {"query": "key"}).status,
        rate(system, 1).status,
    ]

    assert statuses == [201, 201, 200, 429]


def test_a_malformed_rating_counts() -> None:
    system = System(ratings_per_minute=1)

    assert [system.post("/v1/feedback", {}).status, rate(system).status] == [400, 429]


def test_while_the_counter_is_down_this_process_counts() -> None:
    system = System(ratings_per_minute=1, limiter=MemoryRateLimiter(is_down=True))

    assert [rate(system, number).status for number in range(2)] == [201, 429]
    assert system.telemetry.dimensions_of(Metric.RATE_LIMIT_FALLBACKS) == [{"limit": "feedback"}] * 2


def test_without_a_limit_nothing_is_counted() -> None:
    system = System()

    assert "ratelimit" not in rate(system).headers
    assert system.limiter.calls == 0
