"""Each route's answers and each stated error, over a fake model."""

import base64
import json
import time
from typing import Any

import httpx
import numpy as np
import pytest

from haylift_endpoint import errors
from haylift_endpoint.errors import EndpointError
from haylift_endpoint.http.attributes import HEADER, CallAttributes, read_attributes
from haylift_endpoint.http.schemas import (
    EmbeddingsResponse,
    ErrorResponse,
    HealthResponse,
    ModelsResponse,
    RerankResponse,
)
from haylift_endpoint.http.wire import error_response
from haylift_endpoint.settings import Settings
from tests.fakes import FakeModel, expected_row
from tests.http_client import NOW_S, client, make_routes

SMALL = Settings(max_inputs=3, max_body_bytes=1024)


async def post(path: str, body: Any, *, attributes: str = "", settings: Settings = SMALL) -> httpx.Response:
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    async with client(make_routes(settings)) as http:
        return await http.post(path, content=content, headers={HEADER: attributes} if attributes else {})


async def test_embeddings_in_openais_shape() -> None:
    answer = await post("/v1/embeddings", {"model": "embedder", "input": ["one", "two words"]})

    body = EmbeddingsResponse.model_validate(answer.json())
    assert [item.embedding for item in body.data] == [expected_row("one"), expected_row("two words")]
    assert (body.usage.prompt_tokens, body.truncated, body.model) == (3, [], "embedder")


async def test_base64_is_little_endian_float32() -> None:
    answer = await post("/v1/embeddings", {"input": "two words", "encoding_format": "base64"})

    raw = base64.b64decode(answer.json()["data"][0]["embedding"])
    assert list(np.frombuffer(raw, dtype="<f4")) == expected_row("two words")


async def test_invocations_embed_is_the_same_answer_with_the_request_id() -> None:
    body = {"input": ["one"], "encoding_format": "base64"}

    invoked = await post("/invocations", {"task": "embed", **body}, attributes="class=query,request_id=r-1")

    assert invoked.headers["x-request-id"] == "r-1"
    assert _without_times(invoked) == _without_times(await post("/v1/embeddings", body))


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/embeddings", {"input": ["one"]}), ("/v1/rerank", {"query": "q", "documents": ["a", "b"]})],
)
async def test_an_answer_says_where_the_time_went(path: str, body: dict[str, Any]) -> None:
    started_s = time.perf_counter()

    timing = (await post(path, body)).json()["timing"]

    assert set(timing) == {"queued_ms", "model_ms"}
    assert timing["queued_ms"] >= 0
    assert timing["model_ms"] > 0
    assert sum(timing.values()) <= (time.perf_counter() - started_s) * 1_000


def _without_times(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    return {name: value for name, value in body.items() if name != "timing"}


@pytest.mark.parametrize(("path", "task"), [("/v1/rerank", {}), ("/invocations", {"task": "rerank"})])
async def test_rerank_gives_the_best_first(path: str, task: dict[str, str]) -> None:
    body = {**task, "query": "q", "documents": ["a", "a b c", "a b"], "top_n": 2}

    answer = RerankResponse.model_validate((await post(path, body)).json())

    assert [result.index for result in answer.results] == [1, 2]
    assert [result.logit for result in answer.results] == [4.0, 3.0]
    assert answer.results[0].relevance_score == pytest.approx(0.98201379)


async def test_a_cut_text_is_listed() -> None:
    answer = await post("/v1/embeddings", {"input": ["short", "long text"], "truncate": True})

    assert answer.json()["truncated"] == [1]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "param"),
    [
        ("/v1/embeddings", "{", 400, "invalid_json", None),
        ("/v1/embeddings", b"\xff\xfe", 400, "invalid_json", None),
        ("/v1/embeddings", "[]", 400, "invalid_request", None),
        ("/v1/embeddings", {}, 400, "invalid_request", "input"),
        ("/v1/embeddings", {"input": 3}, 400, "invalid_request", "input"),
        ("/v1/embeddings", {"input": [1, 2]}, 400, "invalid_request", "input"),
        ("/v1/embeddings", {"input": ""}, 400, "invalid_request", "input[0]"),
        ("/v1/embeddings", {"input": ["a", " \n"]}, 400, "invalid_request", "input[1]"),
        ("/v1/embeddings", {"input": []}, 400, "invalid_request", "input"),
        ("/v1/embeddings", {"input": ["a"] * 4}, 400, "invalid_request", "input"),
        ("/v1/embeddings", {"input": "a", "inptu": "b"}, 400, "invalid_request", "inptu"),
        ("/v1/embeddings", {"input": "a", "dimensions": 3}, 400, "invalid_request", "dimensions"),
        ("/v1/embeddings", {"input": "a", "encoding_format": "x"}, 400, "invalid_request", "encoding_format"),
        ("/v1/embeddings", {"input": "a", "class": "other"}, 400, "invalid_request", "class"),
        ("/v1/embeddings", {"input": "a", "class": "query", "input_type": "document"}, 400, "invalid_request",
         "input_type"),
        ("/v1/embeddings", {"input": "a", "model": "ranker"}, 404, "model_not_found", "model"),
        ("/v1/embeddings", {"input": "a" * 2000}, 413, "body_too_large", None),
        ("/v1/embeddings", {"input": "poison"}, 500, "model_failed", None),
        ("/v1/rerank", {"query": " ", "documents": ["a"]}, 400, "invalid_request", "query"),
        ("/v1/rerank", {"query": "q", "documents": []}, 400, "invalid_request", "documents"),
        ("/v1/rerank", {"query": "q", "documents": ["a"], "top_n": 0}, 400, "invalid_request", "top_n"),
        ("/invocations", {"input": "a"}, 400, "invalid_request", None),
        ("/invocations", {"task": "sing", "input": "a"}, 400, "invalid_request", None),
        ("/invocations", {"task": "embed", "input": 3}, 400, "invalid_request", "input"),
        ("/nowhere", {}, 404, "not_found", None),
        ("/ping", {}, 405, "method_not_allowed", None),
    ],
)  # fmt: skip
async def test_a_wrong_request_gets_its_stated_error(
    path: str, body: Any, status: int, code: str, param: str | None
) -> None:
    answer = await post(path, body)

    error = ErrorResponse.model_validate(answer.json()).error
    assert (answer.status_code, error.code, error.param) == (status, code, param)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, CallAttributes()),
        (" class = query , deadline_ms=5,, request_id=x=y ", CallAttributes(5, "query", "x=y")),
        ("colour=red,class=document", CallAttributes(request_class="document")),
    ],
)
def test_custom_attributes_are_read_with_tolerance(header: str | None, expected: CallAttributes) -> None:
    assert read_attributes(header) == expected


@pytest.mark.parametrize(
    "attributes",
    ["class=other", "deadline_ms=soon", "deadline_ms=-1", "deadline_ms=1.5", "deadline_ms=", "class",
     "request_id=", "class=query,class=query", "x=" + "y" * 1023, f"request_id={'r' * 129}"],
)  # fmt: skip
async def test_wrong_custom_attributes_are_the_callers_fault(attributes: str) -> None:
    answer = await post("/invocations", {"task": "embed", "input": "a"}, attributes=attributes)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


async def test_a_deadline_in_the_past_is_not_worked_on() -> None:
    answer = await post(
        "/invocations", {"task": "embed", "input": "a"}, attributes=f"deadline_ms={int(NOW_S * 1000) - 1}"
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_a_busy_answer_carries_its_retry_after_twice() -> None:
    answer = error_response(errors.Overloaded("full", retry_after_s=1.25))

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert json.loads(bytes(answer.body)) == {
        "error": {
            "message": "full", "type": "rate_limit_error", "code": "overloaded", "param": None,
            "retry_after_s": 1.25,
        }
    }  # fmt: skip


def all_errors(root: type[EndpointError] = EndpointError) -> list[type[EndpointError]]:
    return [root, *(leaf for branch in root.__subclasses__() for leaf in all_errors(branch))]


def test_every_error_has_a_body_of_the_published_shape_and_its_own_code() -> None:
    for error in all_errors():
        ErrorResponse.model_validate_json(bytes(error_response(error("why")).body))
    codes = [error.code for error in all_errors()[1:]]
    assert sorted(set(codes) - {"internal_error"}) == sorted(
        code for code in codes if code != "internal_error"
    )


async def test_ping_fails_only_when_a_restart_helps() -> None:
    model = FakeModel()
    routes = make_routes(SMALL, model, max_queued_tokens=1)
    async with client(routes) as http:
        assert (await http.post("/v1/embeddings", json={"input": ["a b"]})).status_code == 400
        assert (await http.get("/ping")).status_code == 200

        model.is_down = True
        failed = await http.post("/v1/embeddings", json={"input": "a"})
        assert (failed.status_code, failed.json()["error"]["retry_after_s"]) == (503, 5.0)
        assert (await http.get("/ping")).status_code == 503
        health = await http.get("/health")
        assert (health.status_code, HealthResponse.model_validate(health.json()).status) == (503, "failed")


async def test_a_stopping_endpoint_says_so() -> None:
    routes = make_routes(SMALL)
    async with client(routes) as http:
        assert HealthResponse.model_validate((await http.get("/health")).json()).status == "ok"

        routes.service.drain(60)

        refused = await http.post("/v1/embeddings", json={"input": "a"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert (await http.get("/health")).json()["status"] == "draining"


async def test_models_say_what_callers_plan_with() -> None:
    async with client(make_routes(SMALL)) as http:
        models = ModelsResponse.model_validate((await http.get("/v1/models")).json())

    assert [(model.id, model.task, model.dimensions, model.max_tokens) for model in models.data] == [
        ("embedder", "embed", 2, 512),
        ("ranker", "rerank", 2, 512),
    ]


async def test_metrics_count_requests_items_and_padding() -> None:
    async with client(make_routes(SMALL)) as http:
        await http.post("/v1/embeddings", json={"input": ["a", "b c"]})
        await http.post("/v1/embeddings", json={"input": ""})
        text = (await http.get("/metrics")).text

    assert 'haylift_endpoint_requests_total{outcome="ok",task="embed"} 1.0' in text
    assert 'haylift_endpoint_requests_total{outcome="invalid_request",task="embed"} 1.0' in text
    assert 'haylift_endpoint_items_total{model="fake",outcome="answered"} 2.0' in text
    assert 'haylift_endpoint_padding_tokens_total{model="fake"} 1.0' in text
    assert 'haylift_endpoint_queued_tokens{model="embedder"} 0.0' in text
