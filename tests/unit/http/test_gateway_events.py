"""No text of a caller's crashes a function before its edge, where hosts, ids and records are."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from haylift import audit
from haylift.http import app as http_app
from haylift.http import create_app
from haylift.settings import HttpSettings
from haylift.telemetry import Metric
from hypothesis import given, settings
from hypothesis import strategies as st
from mangum.handlers import APIGateway

from tests.fakes.audit import Written
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry, answer_of, invoke

HEADERS = [
    {"Host": "x:y"},
    {"Host": "a:b:c"},
    {"Host": "[::1]:80"},
    {"Host": ""},
    {"Host": "api.example.com:"},
    {"X-Forwarded-Port": "abc"},
    {"x-forwarded-port": "1e999", "HOST": "api.example.com:99999999999"},
]


@pytest.fixture
def written() -> Iterator[Written]:
    handler = Written()
    level = audit.logger.level
    audit.logger.addHandler(handler)
    audit.logger.setLevel(logging.INFO)
    yield handler
    audit.logger.removeHandler(handler)
    audit.logger.setLevel(level)


def app(telemetry: RecordedTelemetry | None = None, hosts: tuple[str, ...] = ()) -> FastAPI:
    made = create_app(
        "test", telemetry or RecordedTelemetry(), HttpSettings(stage="test", trusted_hosts=hosts)
    )

    @made.get("/v1/documents")
    async def echo(request: Request) -> dict[str, Any]:
        names = ("host", "x-forwarded-port", "x-note")
        return {name: request.headers[name] for name in names if name in request.headers}

    return made


def event(**changed: Any) -> dict[str, Any]:
    return Gateway(FastAPI()).event("GET", "/v1/documents") | changed


def send(to: FastAPI, **changed: Any) -> Answer:
    return answer_of(invoke(to, event(**changed)))


def every_host_is_answered(headers: dict[str, str]) -> None:
    """The check: in either form of headers the request is answered, and its Host judged."""
    for form in (
        {"headers": headers, "multiValueHeaders": None},
        {"headers": None, "multiValueHeaders": {name: [value] for name, value in headers.items()}},
        {"headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}},
    ):
        anybody = send(app(), **form)
        refused = send(app(hosts=("gateway.example.com",)), **form)

        sent_host = {name.lower(): value for name, value in headers.items()}.get("host")
        assert (anybody.status, anybody.json().get("host")) == (200, sent_host)
        assert (refused.status, refused.json()["code"]) == (400, "untrusted_host")
        assert refused.headers["x-request-id"] == "request-1"


@pytest.mark.parametrize("headers", HEADERS)
def test_every_host_is_answered(headers: dict[str, str]) -> None:
    every_host_is_answered(headers)


@pytest.mark.parametrize("headers", [HEADERS[0], HEADERS[1], HEADERS[2], HEADERS[5]])
def test_mangums_own_translation_fails_the_same_check(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_app, "RestProxy", APIGateway)

    with pytest.raises(AssertionError):
        every_host_is_answered(headers)


def test_a_trusted_host_is_still_trusted() -> None:
    answer = send(app(hosts=("[::1]",)), headers={"Host": "[::1]:80"}, multiValueHeaders=None)

    assert (answer.status, answer.json()) == (200, {"host": "[::1]:80"})


@pytest.mark.parametrize(
    "changed",
    [
        {"headers": None, "multiValueHeaders": None},
        {"headers": {}, "multiValueHeaders": {}},
        {"headers": {"Host": None}, "multiValueHeaders": {"Host": None}},
        {"headers": {"Host": "a"}, "multiValueHeaders": {"Host": []}},
        {"headers": {"Host": "a"}, "multiValueHeaders": {"Host": ["a", "b:c"], "X": [None]}},
        {"headers": {"X-Note": "\ud800é"}, "multiValueHeaders": None},
        {"queryStringParameters": {"a": None}, "multiValueQueryStringParameters": {"a": [None]}},
        {"queryStringParameters": {"a": ""}, "multiValueQueryStringParameters": None},
        {"requestContext": {"requestId": "request-1", "identity": None, "authorizer": None}},
        {"path": "/v1/documents", "body": None, "isBase64Encoded": None},
    ],
)
def test_every_shape_of_an_event_is_answered(changed: dict[str, Any]) -> None:
    answer = send(app(), **changed)

    assert answer.status == 200
    assert answer.headers["x-request-id"] == "request-1"


VALUES = st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["x:y", "[::1]", ":", "a:b:c", "a:1 "]))
NAMES = st.sampled_from(["Host", "host", "HOST", "X-Forwarded-Port", "x-forwarded-PORT", "X-Forwarded-Proto"])
SINGLE = st.none() | st.dictionaries(NAMES | st.text(max_size=10), VALUES, max_size=6)
MULTIPLE = st.none() | st.dictionaries(NAMES, st.none() | st.lists(VALUES, max_size=3), max_size=6)


PLAIN = app()


@settings(max_examples=120, deadline=None)
@given(headers=SINGLE, multiple=MULTIPLE)
def test_no_header_is_a_crash(headers: dict[str, Any] | None, multiple: dict[str, Any] | None) -> None:
    answer = send(PLAIN, headers=headers, multiValueHeaders=multiple)

    assert answer.status == 200
    assert answer.headers["x-request-id"] == "request-1"
    assert "x-forwarded-port" not in answer.json()


BROKEN: list[dict[str, Any]] = [
    {"isBase64Encoded": True, "body": "a"},
    {"headers": "no mapping"},
    {"httpMethod": None, "path": 5},
    {"multiValueQueryStringParameters": {"a": ["\ud800"]}},
]


def a_crash_outside_is_answered_and_recorded(
    changed: dict[str, Any], written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    """The check: our problem with the request's id, one metric, one record, one log line."""
    telemetry = RecordedTelemetry()

    answer = send(app(telemetry, hosts=("gateway",)), **changed)

    assert (answer.status, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "request-1"
    assert answer.headers["x-frame-options"] == "DENY"
    failures = [
        (value, where) for metric, value, where in telemetry.records if metric is Metric.REQUEST_FAILURES
    ]
    assert failures == [(1, {"endpoint": "/v1/documents"})]
    (record,) = written.records
    assert (record["action"], record["outcome"]) == ("GET /v1/documents", "failed")
    crashes = [one for one in caplog.records if one.message == "request crashed"]
    assert [one.exc_info is not None for one in crashes] == [True]


@pytest.mark.parametrize("changed", BROKEN)
def test_a_crash_outside_is_answered_and_recorded(
    changed: dict[str, Any], written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    a_crash_outside_is_answered_and_recorded(changed, written, caplog)


def test_without_the_guard_the_same_check_fails(
    written: Written, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded: Callable[[FastAPI], http_app.LambdaHandler] = http_app._mangum
    monkeypatch.setattr("tests.fakes.gateway.gateway_adapter", unguarded)

    with pytest.raises((AssertionError, ValueError)):
        a_crash_outside_is_answered_and_recorded(BROKEN[0], written, caplog)


def test_what_is_no_event_of_the_gateway_is_answered_too() -> None:
    answer = answer_of(invoke(app(), {}))

    assert (answer.status, answer.json()["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    ("resource", "endpoint"),
    [("/v1/documents", "/v1/documents"), ("/v1/\nforged", "unmatched"), (None, "unmatched")],
)
def test_what_is_refused_before_routing_has_the_gateways_route(resource: object, endpoint: str) -> None:
    telemetry = RecordedTelemetry()

    send(app(telemetry, hosts=("ours",)), resource=resource)

    assert telemetry.dimensions_of(Metric.REQUESTS) == [
        {"method": "GET", "endpoint": endpoint, "status": "400"}
    ]
