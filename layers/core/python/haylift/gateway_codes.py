"""Which code a caller reads when API Gateway itself answers.

The stack writes these codes into the gateway's answers, and the audit the same ones into the records of them.
They stand here because functions and stacks must agree on them, and neither may import the other.
"""

from collections.abc import Mapping

CODE_BY_RESPONSE_TYPE: Mapping[str, str] = {
    "UNAUTHORIZED": "unauthorized",
    "ACCESS_DENIED": "permission_missing",
    "MISSING_AUTHENTICATION_TOKEN": "route_not_found",
    "RESOURCE_NOT_FOUND": "route_not_found",
    "REQUEST_TOO_LARGE": "body_too_large",
    "THROTTLED": "too_many_requests",
    "QUOTA_EXCEEDED": "too_many_requests",
    "INTEGRATION_TIMEOUT": "timeout",
    "INTEGRATION_FAILURE": "internal_error",
    "AUTHORIZER_FAILURE": "store_unavailable",
    "DEFAULT_4XX": "invalid_request",
    "DEFAULT_5XX": "internal_error",
}
"""By the gateway's name of its answer (`$context.error.responseType`); the last two: of all others."""


def code_of_gateway(response_type: str, status: int) -> str:
    """The code of an answer of the gateway's own.

    >>> code_of_gateway("ACCESS_DENIED", 403), code_of_gateway("BAD_REQUEST_BODY", 400)
    ('permission_missing', 'invalid_request')
    """
    default = "DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX"
    return CODE_BY_RESPONSE_TYPE.get(response_type, CODE_BY_RESPONSE_TYPE[default])
