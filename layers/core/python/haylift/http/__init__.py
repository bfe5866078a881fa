"""The HTTP surface that all functions share: problem documents, request ids, limits, the caller."""

from haylift.headers import PROBLEM_TYPE
from haylift.http.app import create_app, gateway_adapter, lambda_entry
from haylift.http.caller import caller, optional_caller, require, session
from haylift.http.edge import MAX_BODY_BYTES
from haylift.http.problems import (
    STATUS_BY_ERROR,
    RequestModel,
    invalid_field,
    named_faults,
    places_of,
    problem,
    problem_fields,
    request_id_of,
    status_of,
)

__all__ = [
    "MAX_BODY_BYTES",
    "PROBLEM_TYPE",
    "STATUS_BY_ERROR",
    "RequestModel",
    "caller",
    "create_app",
    "gateway_adapter",
    "invalid_field",
    "lambda_entry",
    "named_faults",
    "optional_caller",
    "places_of",
    "problem",
    "problem_fields",
    "request_id_of",
    "require",
    "session",
    "status_of",
]
