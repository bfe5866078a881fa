"""What API Gateway itself answers, as the problem documents (RFC 9457) that the functions answer too."""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

PROBLEM_TYPE = "application/problem+json"


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


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Gives every kind of gateway answer a problem body with the request's id."""
    for problem in PROBLEMS:
        headers = {
            "Content-Type": f"'{PROBLEM_TYPE}'",
            "Cache-Control": "'no-store'",
            "X-Content-Type-Options": "'nosniff'",
            "X-Request-Id": "context.requestId",
        }
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
