"""What every HTTP function does alike."""

import inspect
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from haylift.domain import errors
from haylift.domain.identity import Permission, Principal, Role
from haylift.http import (
    MAX_BODY_BYTES,
    STATUS_BY_ERROR,
    RequestModel,
    caller,
    create_app,
    invalid_field,
    optional_caller,
    require,
    status_of,
)
from haylift.telemetry import Metric
from pydantic import field_validator

from tests.fakes.gateway import Gateway, RecordedTelemetry, principal


class Order(RequestModel):
    name: str
    count: int = 1

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name:
            raise invalid_field("empty_name", "A name has at least one character.")
        return name


@pytest.fixture
def telemetry() -> RecordedTelemetry:
    return RecordedTelemetry()


@pytest.fixture
def app(telemetry: RecordedTelemetry) -> FastAPI:
    app = create_app("test", telemetry)

    @app.post("/orders")
    async def order(order: Order, who: Annotated[Principal, Depends(caller)]) -> dict[str, object]:
        require(who, Permission.WRITE)
        return {"name": order.name, "tenant": who.tenant}

    @app.post("/fail/{name}")
    async def fail(name: str) -> None:
        raise {
            "limit": errors.LimitExceeded("Slow down.", retry_after_s=7),
            "index": errors.IndexUnavailable("The index does not answer."),
            "model": errors.ModelUnavailable("The model refused the question."),
            "bug": ZeroDivisionError("secret"),
        }[name]

    @app.get("/who")
    async def who(request: Request) -> dict[str, object]:
        known = optional_caller(request)
        return {"subject": known.subject if known else None}

    return app


def test_a_valid_request_is_answered_with_its_request_id(app: FastAPI) -> None:
    answer = Gateway(app, principal(Role.EDITOR)).request("POST", "/orders", {"name": "a"})

    assert answer.status == 200
    assert answer.json() == {"name": "a", "tenant": "acme"}
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "raw", "code"),
    [
        (None, "{", "invalid_json"),
        (None, "", "invalid_request"),
        ([], None, "invalid_request"),
        ({"name": 5}, None, "invalid_request"),
        ({"name": "a", "count": "2"}, None, "invalid_request"),
        ({"name": "a", "colour": "red"}, None, "invalid_request"),
        ({"name": ""}, None, "empty_name"),
    ],
)
def test_bad_bodies_are_problems_with_a_stable_code(
    app: FastAPI, body: object, raw: str | None, code: str
) -> None:
    answer = Gateway(app, principal()).request("POST", "/orders", body, raw=raw)

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["request_id"] == "request-1"


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
def test_a_body_that_is_not_called_json_is_415_and_says_what_to_send(
    app: FastAPI, content_type: str | None
) -> None:
    answer = Gateway(app, principal(), content_type=content_type).request("POST", "/orders", {"name": "a"})

    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/problem+json"])
def test_every_kind_of_json_is_read(app: FastAPI, content_type: str) -> None:
    gateway = Gateway(app, principal(), content_type=content_type)

    assert gateway.request("POST", "/orders", {"name": "a"}).status == 200


def test_no_body_is_400_whatever_it_is_called(app: FastAPI) -> None:
    answer = Gateway(app, principal(), content_type=None).request("POST", "/orders")

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")


def test_what_the_model_refuses_is_logged_without_traceback(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    Gateway(app).request("POST", "/fail/model")
    Gateway(app).request("POST", "/fail/index")
    Gateway(app).request("POST", "/fail/bug")

    records = [record for record in caplog.records if record.name == "haylift.http"]
    assert [(record.message, record.exc_info is not None) for record in records] == [
        ("request failed", False),
        ("request failed", True),
        ("request crashed", True),
    ]


def test_a_body_over_the_limit_is_413_before_any_work(app: FastAPI) -> None:
    answer = Gateway(app, principal()).request("POST", "/orders", raw="x" * (MAX_BODY_BYTES + 1))

    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "route_not_found"),
        ("GET", "/orders", 405, "method_not_allowed"),
        ("POST", "/fail/limit", 429, "too_many_requests"),
        ("POST", "/fail/index", 503, "index_unavailable"),
        ("POST", "/fail/bug", 500, "internal_error"),
    ],
)
def test_failures_are_problems(app: FastAPI, method: str, path: str, status: int, code: str) -> None:
    answer = Gateway(app, principal()).request(method, path)

    assert (answer.status, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_unavailable_says_when_to_retry(app: FastAPI) -> None:
    assert Gateway(app).request("POST", "/fail/limit").headers["retry-after"] == "7"
    assert Gateway(app).request("POST", "/fail/index").headers["retry-after"] == "5"


def test_rights_come_from_the_authorizer_only(app: FastAPI) -> None:
    assert Gateway(app).request("POST", "/orders", {"name": "a"}).status == 401
    assert Gateway(app, principal(Role.READER)).request("POST", "/orders", {"name": "a"}).status == 403
    assert Gateway(app).request("GET", "/who").json() == {"subject": None}


def test_every_request_is_counted_by_its_route(app: FastAPI, telemetry: RecordedTelemetry) -> None:
    Gateway(app, principal()).request("POST", "/fail/bug")
    Gateway(app, principal()).request("GET", "/nowhere")

    assert telemetry.dimensions_of(Metric.REQUESTS) == [
        {"method": "POST", "endpoint": "/fail/{name}", "status": "500"},
        {"method": "GET", "endpoint": "unmatched", "status": "404"},
    ]


def errors_without_status(statuses: dict[type[errors.HayliftError], int]) -> set[str]:
    """Direct children of the root that have no status of their own."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    children = [kind for kind in kinds if errors.HayliftError in kind.__bases__]
    return {kind.__name__ for kind in children if kind not in statuses}


def test_every_branch_of_the_error_tree_has_a_status() -> None:
    assert errors_without_status(STATUS_BY_ERROR) == set()
    assert status_of(errors.ModelUnavailable("x")) == 503


def test_a_branch_without_status_would_be_seen() -> None:
    incomplete = {kind: status for kind, status in STATUS_BY_ERROR.items() if kind is not errors.NotFound}

    assert errors_without_status(incomplete) == {"NotFound"}
