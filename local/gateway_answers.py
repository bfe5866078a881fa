"""What any route can answer besides its own: from the gateway, the authorizer and the edge of a function."""

from typing import Any

from haylift.contract import Access, Route
from haylift.headers import PROBLEM_TYPE
from haylift.http.operations import PROBLEM_REFERENCE

HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The request's id; the same in problem documents and in every log line.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "After how many seconds a retry makes sense.",
        "schema": {"type": "integer", "minimum": 1},
    },
}

_TITLES = {
    400: ("BadRequest", "Bad request", "untrusted_host", "The Host header names no host of this deployment."),
    401: ("NotAuthenticated", "Not authenticated", "unauthorized",
          "The token is missing, expired or not ours: log in at POST /v1/auth/login."),
    403: ("NotAllowed", "Not allowed", "permission_missing",
          "Your role may not use this route; ask an administrator of your tenant."),
    404: ("NotFound", "Not found", "route_not_found",
          "There is no such route; see the documentation of the API."),
    413: ("BodyTooLarge", "Body too large", "body_too_large",
          "A body has at most 262144 bytes; upload files through POST /v1/documents."),
    415: ("UnsupportedMediaType", "Unsupported media type", "unsupported_media_type",
          "The body is read as JSON only: send the header `Content-Type: application/json`."),
    429: ("TooManyRequests", "Too many requests", "too_many_requests",
          "More requests than this deployment takes; try again in a second."),
    500: ("InternalError", "Internal error", "internal_error",
          "Something went wrong on our side; quote the request id when you report it."),
    502: ("BadGateway", "Internal error", "internal_error",
          "Something went wrong on our side; quote the request id when you report it."),
    503: ("Unavailable", "Unavailable", "store_unavailable",
          "Your token could not be checked just now; try again in a few seconds."),
    504: ("GatewayTimeout", "Time-out", "timeout",
          "No answer within 29 seconds; ask less at once, or try again."),
}  # fmt: skip
_WITH_TOKEN = {401, 403}
_WITH_BODY = {413, 415}
_WITH_RETRY_AFTER = {429, 503}


def _answer(status: int) -> tuple[str, dict[str, Any]]:
    name, title, code, detail = _TITLES[status]
    headers = [name for name in HEADERS if name != "Retry-After" or status in _WITH_RETRY_AFTER]
    example = {
        "type": f"urn:haylift:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "5b1f7c2e-6a0d-4f6b-9a51-0c8a2f7f3f11",
    }
    response = {
        "description": f"`{code}`: {detail}",
        "headers": {header: {"$ref": f"#/components/headers/{header}"} for header in headers},
        "content": {PROBLEM_TYPE: {"schema": PROBLEM_REFERENCE, "example": example}},
    }
    return name, response


ANSWERS_BY_STATUS = {status: _answer(status) for status in _TITLES}
"""By status: the name of the component and the response itself."""


def statuses_of(route: Route, *, has_body: bool) -> list[int]:
    """The statuses that a route can answer without having described them."""
    left_out = set() if route.access is not Access.PUBLIC else set(_WITH_TOKEN)
    if not has_body:
        left_out |= _WITH_BODY
    return [status for status in ANSWERS_BY_STATUS if status not in left_out]
