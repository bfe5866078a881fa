"""What browsers, Prometheus and newcomers find at the running API."""

import pytest
from haylift.headers import SECURITY_HEADERS
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.system import System, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ORIGIN = "http://localhost:3000"
OTHER_ENDPOINTS = {"/v1/documents", "/v1/search", "/v1/auth/login", "/health"}
FOREIGN = "https://evil.example"


def test_the_reference_works_behind_the_stage_prefix(system: System) -> None:
    document = system.http.get("/openapi.json")
    page = system.http.get("/docs")
    script = system.http.get("/docs/swagger-ui-bundle.js")

    assert (document.status_code, document.json()["openapi"]) == (200, "3.1.0")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (script.status_code, len(script.content) > 1_000_000) == (200, True)
    known = system.http.get("/docs/swagger-ui-bundle.js", headers={"If-None-Match": script.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_the_examples_of_the_document_work(system: System) -> None:
    paths = system.http.get("/openapi.json").json()["paths"]
    asked = {"/v1/search": 200, "/v1/search/batch": 200, "/v1/query": 200, "/v1/feedback": 201}

    for path, status in asked.items():
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            assert system.request("POST", path, json=example["value"]).status_code == status


def test_metrics_are_those_of_the_whole_deployment(system: System) -> None:
    system.request("GET", "/v1/documents")

    def counted() -> float | None:
        answer = system.request("GET", "/metrics", role="reader")
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "text/plain; version=0.0.4; charset=utf-8",
        )
        total = sum(
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == "haystack_requests_total" and sample.labels["endpoint"] in OTHER_ENDPOINTS
        )
        return total or None

    # Counted by other functions than the one that tells; a page is kept for a minute.
    assert eventually(counted, 200, "requests of other functions are in /metrics") >= 1


def test_metrics_take_a_token(system: System) -> None:
    assert system.http.get("/metrics").status_code == 401


def test_a_page_of_an_allowed_origin_may_ask_and_read(system: System) -> None:
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    preflight = system.http.options("/v1/search", headers=asks)
    refused = system.http.post("/v1/search", headers={"Origin": ORIGIN}, json={"query": "key"})
    answered = system.http.get("/health", headers={"Origin": ORIGIN})

    for answer in (preflight, refused, answered):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in answer.headers
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["x-request-id"] == preflight.headers["x-amzn-requestid"]
    assert preflight.headers["x-frame-options"] == "DENY"


def test_a_page_of_another_origin_may_not(system: System) -> None:
    asks = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
    preflight = system.http.options("/v1/search", headers=asks)
    answered = system.http.get("/health", headers={"Origin": FOREIGN})

    assert {
        preflight.headers.get("access-control-allow-origin"),
        answered.headers.get("access-control-allow-origin"),
    } <= {None, ORIGIN}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/docs/nothing", 404),
        ("GET", "/nowhere", 404),
        ("HEAD", "/v1/search", 404),
        ("PUT", "/v1/search", 404),
        ("POST", "/v1/search", 401),
    ],
)
def test_every_answer_has_an_id_and_the_security_headers(
    system: System, method: str, path: str, status: int
) -> None:
    answer = system.http.request(method, path)

    assert answer.status_code == status
    assert [name for name in (*SECURITY_HEADERS, "X-Request-Id") if name not in answer.headers] == []
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    if answer.content and status >= 400:
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
