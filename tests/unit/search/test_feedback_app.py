"""Ratings: whose they are comes from the token, and the last one of a user stays."""

import json
import logging
from typing import Any

import pytest
from haylift.domain.identity import Role
from haylift.telemetry import Metric

from tests.fakes.gateway import Gateway, principal
from tests.unit.search.system import System

REQUEST_ID = "6ae0d5b2-1f0a-4a5c-9d4e-0f6a2b1c3d4e"
GOOD: dict[str, Any] = {"request_id": REQUEST_ID, "kind": "answer", "rating": 5, "comment": "Straight to it."}


def test_a_rating_is_kept_under_the_callers_name() -> None:
    system = System()

    answer = system.post("/v1/feedback", GOOD)

    (rating,) = system.ratings.by_key.values()
    assert answer.status == 201
    assert answer.json() == {"rating_id": rating.rating_id, "replaced": False}
    assert (rating.tenant, rating.subject) == ("acme", "reader@acme")
    assert (rating.kind, rating.rated_request_id, rating.rating) == ("answer", REQUEST_ID, 5)
    assert (rating.comment, rating.at) == ("Straight to it.", 1_800_000_000.0)


def test_a_second_rating_replaces_the_first() -> None:
    system = System()
    first = system.post("/v1/feedback", GOOD).json()

    second = system.post("/v1/feedback", {**GOOD, "rating": 1, "comment": None}).json()

    (rating,) = system.ratings.by_key.values()
    assert second == {"rating_id": first["rating_id"], "replaced": True}
    assert (rating.rating, rating.comment) == (1, "")


def test_users_and_tenants_rate_for_themselves() -> None:
    system = System()
    callers = [principal(Role.READER), principal(Role.ADMIN), principal(Role.READER, tenant="globex")]

    answers = [system.post("/v1/feedback", GOOD, caller=caller).json() for caller in callers]

    assert [answer["replaced"] for answer in answers] == [False] * 3
    assert len({answer["rating_id"] for answer in answers}) == 3


def test_ratings_are_counted_by_kind() -> None:
    system = System()

    system.post("/v1/feedback", {**GOOD, "kind": "search", "rating": 2})

    ratings = [record for record in system.telemetry.records if record[0] is Metric.USER_RATING]
    assert ratings == [(Metric.USER_RATING, 2, {"kind": "search"})]


def test_a_comment_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        System().post("/v1/feedback", {**GOOD, "comment": "secret words"})

    assert "secret words" not in "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": "5"}, "rating"),
        ({"rating": True}, "rating"),
        ({"kind": "document"}, "kind"),
        ({"comment": "x" * 2_001}, "comment"),
        ({"comment": "\ud800"}, "comment"),
        ({"comment": 5}, "comment"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "short"}, "request_id"),
        ({"request_id": "a" * 65}, "request_id"),
        ({"request_id": "../../etc/passwd"}, "request_id"),
        ({"request_id": f"{REQUEST_ID}\n"}, "request_id"),
        ({"tenant": "globex"}, "tenant"),
        ({"subject": "ann"}, "subject"),
    ],
)
def test_a_bad_rating_is_400_with_its_place(change: dict[str, Any], where: str) -> None:
    system = System()

    answer = system.post("/v1/feedback", raw=json.dumps(GOOD | change))

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["errors"][0]["where"].startswith(where)
    assert system.ratings.by_key == {}


def test_a_rating_needs_its_fields() -> None:
    answer = System().post("/v1/feedback", {})

    assert [place["where"] for place in answer.json()["errors"]] == ["request_id", "kind", "rating"]


def test_what_a_field_may_be_is_told() -> None:
    missing = System().post("/v1/feedback", {"request_id": REQUEST_ID, "rating": 5}).json()
    wrong = System().post("/v1/feedback", GOOD | {"kind": "document"}).json()
    several = System().post("/v1/feedback", {"kind": "answer"}).json()

    assert missing["detail"] == "kind: Field required: one of answer, search"
    assert wrong["detail"] == "kind: Input should be 'answer' or 'search'"
    assert several["detail"] == "request_id: Field required (1 more in `errors`)"


def test_nobody_rates_nothing() -> None:
    assert Gateway(System().app, None).request("POST", "/v1/feedback", GOOD).status == 401
