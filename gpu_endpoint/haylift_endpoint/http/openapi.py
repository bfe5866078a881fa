"""The OpenAPI document, made from the same shapes that the routes validate."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from haylift_endpoint import __version__
from haylift_endpoint.http.attributes import HEADER
from haylift_endpoint.http.schemas import (
    EmbeddingsRequest,
    EmbeddingsResponse,
    EmbedInvocation,
    ErrorResponse,
    HealthResponse,
    ModelsResponse,
    RerankInvocation,
    RerankRequest,
    RerankResponse,
)

_REF = "#/components/schemas/{model}"

_SHAPES: tuple[type[BaseModel], ...] = (
    EmbeddingsRequest,
    EmbedInvocation,
    RerankRequest,
    RerankInvocation,
    EmbeddingsResponse,
    RerankResponse,
    ModelsResponse,
    HealthResponse,
    ErrorResponse,
)

_ATTRIBUTES = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "deadline_ms=<epoch ms>,class=query|document,request_id=<id>; unknown keys are ignored.",
    "schema": {"type": "string", "maxLength": 1024},
}


def openapi() -> dict[str, Any]:
    """The whole document, with equal bytes for equal code."""
    _, definitions = models_json_schema([(shape, "validation") for shape in _SHAPES], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Haylift model endpoint", "version": __version__},
        "paths": {
            "/ping": {"get": _get("Answers 503 only when a new process helps.", None)},
            "/invocations": {
                "post": _post("SageMaker's route for every task.", _invocation(), _one_of(_RESPONSES))
            },
            "/v1/embeddings": {
                "post": _post("Unit vectors for texts.", _ref(EmbeddingsRequest), _ref(EmbeddingsResponse))
            },
            "/v1/rerank": {"post": _post("Passages, best first.", _ref(RerankRequest), _ref(RerankResponse))},
            "/v1/models": {"get": _get("What is served, with limits.", _ref(ModelsResponse))},
            "/health": {"get": _get("Lines and faults of each model.", _ref(HealthResponse))},
            "/metrics": {"get": _get("Prometheus' text format.", None)},
        },
        "components": {"schemas": definitions["$defs"]},
    }


_RESPONSES: tuple[type[BaseModel], ...] = (EmbeddingsResponse, RerankResponse)


def _ref(shape: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _REF.format(model=shape.__name__)}


def _one_of(shapes: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    return {"oneOf": [_ref(shape) for shape in shapes]}


def _invocation() -> dict[str, Any]:
    shape_by_task: dict[str, type[BaseModel]] = {"embed": EmbedInvocation, "rerank": RerankInvocation}
    mapping = {task: _ref(shape)["$ref"] for task, shape in shape_by_task.items()}
    return {
        **_one_of(tuple(shape_by_task.values())),
        "discriminator": {"propertyName": "task", "mapping": mapping},
    }


def _content(schema: dict[str, Any] | None, description: str) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"description": description, **content}


def _get(summary: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _content(answer, "Well."), "503": _failure("Not now.")}}


def _post(summary: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": [_ATTRIBUTES],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _content(answer, "The answer."),
            "400": _failure("The request must change: form, length, values."),
            "404": _failure("No such model here."),
            "413": _failure("The body is too large."),
            "429": _failure("Too much is waiting; come back after retry_after_s."),
            "500": _failure("The model fails on this input, or a fault of the server."),
            "503": _failure("Stopping, or the model does not work; come back after retry_after_s."),
            "504": _failure("The deadline passed."),
        },
    }


def _failure(description: str) -> dict[str, Any]:
    return _content(_ref(ErrorResponse), description)
