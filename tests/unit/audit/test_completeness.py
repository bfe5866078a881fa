"""Every request that reaches a function leaves exactly one record, whatever became of it."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from haylift import http
from haylift.contract import Route
from haylift.domain import errors
from haylift.http import edge
from haylift.http.decisions import UNRECORDED, record_request
from haylift.http.edge import MAX_BODY_BYTES
from haylift.routes import ALL_ROUTES

from tests.fakes.audit import Written
from tests.fakes.gateway import Gateway, RecordedTelemetry, principal

IS_RECORDED = {
    "POST /v1/auth/login": True,
    "POST /v1/auth/refresh": True,
    "POST /v1/auth/logout": True,
    "POST /login": True,
    "GET /.well-known/jwks.json": False,
    "GET /v1/documents": True,
    "POST /v1/documents": True,
    "GET /v1/documents/{document_id}": True,
    "DELETE /v1/documents/{document_id}": True,
    "GET /v1/receipts/{receipt_id}": True,
    "POST /v1/search": True,
    "POST /v1/search/batch": True,
    "POST /v1/query": True,
    "POST /v1/feedback": True,
    "POST /search": True,
    "POST /batch-search": True,
    "POST /query": True,
    "GET /health": False,
    "GET /ready": False,
    "GET /metrics": False,
    "GET /docs": False,
    "GET /docs/{asset}": False,
    "GET /openapi.json": False,
}
"""The decision about each route, made once: a new route has to be decided about here."""

OUTCOMES = {
    "good": (204, "allowed", ""),
    "wrong": (400, "refused", "invalid_request"),
    "stranger": (401, "denied", "invalid_credentials"),
    "forbidden": (403, "denied", "permission_missing"),
    "absent": (404, "refused", "not_found"),
    "limited": (429, "denied", "too_many_requests"),
    "down": (503, "failed", "store_unavailable"),
    "bug": (500, "failed", "internal_error"),
}
FAULTS: dict[str, Exception] = {
    "wrong": errors.InvalidInput("wrong"),
    "stranger": errors.NotAuthenticated("wrong", code="invalid_credentials"),
    "forbidden": errors.NotAllowed("no"),
    "absent": errors.NotFound("no"),
    "limited": errors.LimitExceeded("slow down", retry_after_s=1),
    "down": errors.StoreUnavailable("down"),
    "bug": ZeroDivisionError("secret"),
}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def undecided(routes: tuple[Route, ...]) -> set[str]:
    """Routes that nobody decided about, and decisions about no route."""
    return {name_of(route) for route in routes} ^ IS_RECORDED.keys()


def test_every_route_is_decided_about() -> None:
    assert undecided(ALL_ROUTES) == set()
    assert {route.path for route in ALL_ROUTES} >= UNRECORDED.keys()


def test_a_new_route_fails_the_same_check() -> None:
    new = Route(method="PUT", path="/v1/secrets", access=ALL_ROUTES[0].access)

    assert undecided((*ALL_ROUTES, new)) == {"PUT /v1/secrets"}


def app_that(outcome: str) -> FastAPI:
    """All routes of all functions behind one edge, each ending in `outcome`."""
    app = http.create_app("all", RecordedTelemetry())

    async def answer() -> Response:
        if outcome in FAULTS:
            raise FAULTS[outcome]
        return Response(status_code=204)

    for route in ALL_ROUTES:
        app.add_api_route(route.path, answer, methods=[route.method], response_model=None)
    return app


def leaves_one_record(written: Written, outcome: str) -> None:
    """The check: each recorded route leaves one record of this outcome, each other route none."""
    gateway = Gateway(app_that(outcome), principal())
    status, expected, code = OUTCOMES[outcome]
    for route in ALL_ROUTES:
        written.records.clear()

        answer = gateway.request(route.method, re.sub(r"\{.*?\}", "d-1", route.path))

        assert answer.status == status
        found = [(one["action"], one["outcome"], one["code"]) for one in written.records]
        assert found == ([(name_of(route), expected, code)] if IS_RECORDED[name_of(route)] else [])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_request_leaves_one_record(written: Written, outcome: str) -> None:
    leaves_one_record(written, outcome)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An edge that records what was allowed and forgets what was denied."""

    def record_the_good(scope: edge.Scope, status: int, code: str) -> None:
        if status < 400:
            record_request(scope, status, code)

    monkeypatch.setattr(edge, "record_request", record_the_good)
    return iter(())


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("outcome", ["stranger", "forbidden", "limited"])
def test_an_edge_that_forgets_denials_fails_the_same_check(written: Written, outcome: str) -> None:
    with pytest.raises(AssertionError):
        leaves_one_record(written, outcome)


def test_a_record_says_who_what_and_from_where(written: Written) -> None:
    gateway = Gateway(app_that("good"), principal(), source_address="203.0.113.7")

    gateway.request("DELETE", "/v1/documents/d-1")

    assert written.records == [
        {
            "actor": "admin@acme",
            "tenant": "acme",
            "action": "DELETE /v1/documents/{document_id}",
            "resource": "d-1",
            "outcome": "allowed",
            "request_id": "request-1",
            "source_address": "203.0.113.7",
            "code": "",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path", "raw", "expected"),
    [
        ("GET", "/nowhere", None, ("GET unmatched", "refused", "route_not_found")),
        ("POST", "/v1/search", "x" * (MAX_BODY_BYTES + 1), ("POST /v1/search", "refused", "body_too_large")),
    ],
)
def test_what_no_route_answered_is_recorded_too(
    written: Written, method: str, path: str, raw: str | None, expected: tuple[str, str, str]
) -> None:
    Gateway(app_that("good")).request(method, path, raw=raw)

    (found,) = written.records
    assert (found["actor"], found["action"], found["outcome"], found["code"]) == ("anonymous", *expected)


def test_a_preflight_asks_for_nothing(written: Written) -> None:
    Gateway(app_that("good")).request("OPTIONS", "/v1/search")

    assert written.records == []
