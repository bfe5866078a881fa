"""Errors as problem documents (RFC 9457); the one place that knows which error has which status."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from haylift.domain.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    DocumentRejected,
    HayliftError,
    InvalidInput,
    LegalHold,
    LimitExceeded,
    ModelUnavailable,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OutOfTurn,
)
from haylift.headers import PROBLEM_TYPE
from haylift.tracing import fail

STATUS_BY_ERROR: dict[type[HayliftError], int] = {
    InvalidInput: 400,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    DeadlineExceeded: 408,
    LimitExceeded: 429,
    DependencyUnavailable: 503,
    DocumentRejected: 422,
    LegalHold: 409,
    OutOfTurn: 409,
    HayliftError: 500,
}
TITLE_BY_STATUS = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Time-out",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
logger = logging.getLogger("haylift.http")


class RequestModel(BaseModel):
    """A request body: unknown fields and wrong types are errors, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def invalid_field(code: str, message: str) -> PydanticCustomError:
    """What a model's validator raises to answer with its own stable `code`."""
    return PydanticCustomError("haylift", "{message}", {"haylift_code": code, "message": message})


def request_id_of(request: Request) -> str:
    """The id of this request, the same in the answer's header, in problems and in every log line."""
    return str(request.scope["state"]["request_id"])


def problem(status: int, code: str, detail: str, request_id: str, **more: object) -> JSONResponse:
    """A problem document (RFC 9457) with a stable `code`, which the request's hop notes as its outcome."""
    fail(code)
    body = {**problem_fields(status, code, detail), "status": status, "request_id": request_id, **more}
    return JSONResponse(body, status, media_type=PROBLEM_TYPE)


def problem_fields(status: int, code: str, detail: str) -> dict[str, str]:
    """What names a problem, without the request that met it."""
    return {
        "type": f"urn:haylift:problem:{code}",
        "title": TITLE_BY_STATUS.get(status, "Error"),
        "detail": detail,
        "code": code,
    }


def status_of(error: HayliftError) -> int:
    """The HTTP status of an error: its own or its nearest ancestor's."""
    return next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)


def places_of(error: HayliftError) -> list[dict[str, str]]:
    """The places of a request that are wrong, as the `errors` of a problem document; empty without any."""
    faults = error.faults if isinstance(error, InvalidInput) else ()
    return [{"where": where, "detail": detail} for where, detail in faults]


def on_haylift_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HayliftError)  # registered for this type only
    status = status_of(error)
    more: dict[str, object] = {}
    if places := places_of(error):
        more["errors"] = places
    response = problem(status, error.code, error.detail, request_id_of(request), **more)
    if isinstance(error, LimitExceeded | DependencyUnavailable):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if status >= 500:
        # The model endpoint's faults and refusals are logged, with their cause, where the call was made.
        trace = None if isinstance(error, ModelUnavailable) else error
        logger.warning("request failed", extra={"detail": {"code": error.code}}, exc_info=trace)
    return response


def on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # registered for this type only
    if isinstance(error.body, bytes):  # FastAPI leaves a body undecoded that is not called JSON
        detail = "The body is read as JSON only: send the header `Content-Type: application/json`."
        return problem(415, "unsupported_media_type", detail, request_id_of(request))
    code, detail, places = named_faults(error.errors(), _body_model(request))
    return problem(400, code, detail, request_id_of(request), errors=places)


def _body_model(request: Request) -> type[BaseModel] | None:
    """The model of the route's body; None for a route without body, or with several parts."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def named_faults(
    errors: Sequence[Mapping[str, Any]], model: type[BaseModel] | None = None
) -> tuple[str, str, list[dict[str, str]]]:
    """The stable code and the detail of what pydantic refused, and up to 20 places with their faults.

    Args:
        model: what was validated, so that a missing field is told with the values that it may have.
    """
    faults = [_fault(fault, model) for fault in errors]
    code, first = faults[0]
    detail = f"{first['where']}: {first['detail']}" if first["where"] else first["detail"]
    if len(faults) > 1:
        detail = f"{detail} ({len(faults) - 1} more in `errors`)"
    return code, detail, [place for _, place in faults[:20]]


def _fault(fault: Mapping[str, Any], model: type[BaseModel] | None) -> tuple[str, dict[str, str]]:
    where = ".".join(str(part) for part in fault["loc"] if part != "body")
    if fault["type"] == "json_invalid":
        return "invalid_json", {"where": "", "detail": "The body is not valid JSON."}
    code = fault.get("ctx", {}).get("haylift_code", "invalid_request")
    detail = fault["msg"][:500]
    if fault["type"] == "missing" and (values := _values_of(model, where)):
        detail = f"{detail}: one of {', '.join(values)}"
    return code, {"where": where[:200], "detail": detail}


def _values_of(model: type[BaseModel] | None, field: str) -> list[str]:
    """The values that a field of the model may have, where they are few and named; else none."""
    known = model.model_fields.get(field) if model else None
    if known is None or known.annotation is None:
        return []
    schema = TypeAdapter(known.annotation).json_schema()
    return [str(value) for value in schema.get("enum", [])]


def on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # registered for this type only
    code, detail = {
        400: ("invalid_json", "The body is not valid JSON."),
        404: ("route_not_found", "There is no such route; see the documentation of the API."),
        405: ("method_not_allowed", "This route does not know the method."),
    }.get(error.status_code, ("invalid_request", str(error.detail)))
    answer = problem(error.status_code, code, detail, request_id_of(request))
    answer.headers.update(error.headers or {})  # 405 must say `Allow` (RFC 9110, 15.5.6)
    return answer
