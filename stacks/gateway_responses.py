"""What API Gateway itself answers, as the problem documents (RFC 9457) that the functions answer too."""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from haylift.headers import EXPOSED_HEADERS, PROBLEM_TYPE, SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY

from stacks.environment import Environment


@dataclass(frozen=True, kw_only=True)
class GatewayProblem:
    """One kind of answer. `status` is None where the gateway's own stands (several in one kind)."""

    kind: apigateway.ResponseType
    code: str
    title: str
    detail: str
    status: int | None


_KINDS = apigateway.ResponseType
PROBLEMS = (
    GatewayProblem(
        kind=_KINDS.UNAUTHORIZED, status=401, code="unauthorized", title="Not authenticated",
        detail="The token is missing, expired or not ours: log in at POST /v1/auth/login.",
    ),
    GatewayProblem(
        kind=_KINDS.ACCESS_DENIED, status=403, code="permission_missing", title="Not allowed",
        detail="Your role may not use this route; ask an administrator of your tenant.",
    ),
    GatewayProblem(
        kind=_KINDS.MISSING_AUTHENTICATION_TOKEN, status=404, code="route_not_found", title="Not found",
        detail="There is no such route, or it does not know this method; see the documentation of the API.",
    ),
    GatewayProblem(
        kind=_KINDS.RESOURCE_NOT_FOUND, status=404, code="route_not_found", title="Not found",
        detail="There is no such route; see the documentation of the API.",
    ),
    GatewayProblem(
        kind=_KINDS.REQUEST_TOO_LARGE, status=413, code="body_too_large", title="Body too large",
        detail="A body has at most 262144 bytes; upload files through POST /v1/documents.",
    ),
    GatewayProblem(
        kind=_KINDS.THROTTLED, status=429, code="too_many_requests", title="Too many requests",
        detail="More requests than this deployment takes; try again in a second.",
    ),
    GatewayProblem(
        kind=_KINDS.QUOTA_EXCEEDED, status=429, code="too_many_requests", title="Too many requests",
        detail="The quota of requests is used up.",
    ),
    GatewayProblem(
        kind=_KINDS.INTEGRATION_TIMEOUT, status=504, code="timeout", title="Time-out",
        detail="No answer within 29 seconds; ask less at once, or try again.",
    ),
    GatewayProblem(
        kind=_KINDS.INTEGRATION_FAILURE, status=504, code="internal_error", title="Internal error",
        detail="The function could not be reached; try again, and quote the request id when you report it.",
    ),
    GatewayProblem(
        kind=_KINDS.AUTHORIZER_FAILURE, status=503, code="store_unavailable", title="Unavailable",
        detail="Your token could not be checked just now; try again in a few seconds.",
    ),
    GatewayProblem(
        kind=_KINDS.DEFAULT_4_XX, status=None, code="invalid_request", title="Bad request",
        detail="The gateway refused the request: $context.error.responseType.",
    ),
    GatewayProblem(
        kind=_KINDS.DEFAULT_5_XX, status=None, code="internal_error", title="Internal error",
        detail="Something went wrong on our side; quote the request id when you report it.",
    ),
)  # fmt: skip
"""Codes, titles and details are those of `haylift.http.problems` where both can answer."""

RETRY_AFTER_S = 1


def add_gateway_responses(api: apigateway.RestApi, environment: Environment) -> None:
    """Gives every kind of gateway answer a problem body with the request's id, and the API's headers."""
    for problem in PROBLEMS:
        headers = _headers(environment)
        if problem.status in {429, 503}:
            headers["Retry-After"] = f"'{RETRY_AFTER_S}'"
        api.add_gateway_response(
            f"Answer{problem.kind.response_type.title().replace('_', '')}",
            type=problem.kind,
            status_code=str(problem.status) if problem.status else None,
            response_headers=headers,
            # The gateway knows the one template key; the header above names the real type.
            templates={"application/json": _body(problem)},
        )


def answer_headers(environment: Environment) -> dict[str, str]:
    """What the functions send too; a text stands between quotes, anything else is a variable."""
    headers = {name: f"'{value}'" for name, value in SECURITY_HEADERS.items()}
    headers["X-Request-Id"] = "context.requestId"
    if environment.tls_only:
        headers["Strict-Transport-Security"] = f"'{STRICT_TRANSPORT_SECURITY}'"
    return headers


def _headers(environment: Environment) -> dict[str, str]:
    headers = answer_headers(environment) | {"Content-Type": f"'{PROBLEM_TYPE}'"}
    if environment.allowed_origins:
        headers["Access-Control-Allow-Origin"] = f"'{_readers(environment.allowed_origins)}'"
        headers["Access-Control-Expose-Headers"] = f"'{', '.join(EXPOSED_HEADERS)}'"
        headers["Vary"] = "'Origin'"
    return headers


def _readers(origins: tuple[str, ...]) -> str:
    """One origin by name. A gateway response cannot choose among several, and what it says is no secret."""
    return origins[0] if len(origins) == 1 else "*"


def _body(problem: GatewayProblem) -> str:
    fields: dict[str, object] = {"type": f"urn:haylift:problem:{problem.code}", "title": problem.title}
    if problem.status:
        fields["status"] = problem.status
    return json.dumps({
        **fields,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": "$context.requestId",
    })  # fmt: skip
