"""Patch `gateway-limits`: what API Gateway refuses or gives up on before a caller sees the function.

Sources: API Gateway quotas (payload 10 MB, integration time 29 s by default) and "Gateway response types".
A function that fails or answers nonsense is a 502 with the DEFAULT_5XX response: its error stays inside. One
that is throttled is a 500 with the same response: Lambda's 429 stays inside too.
"""

import asyncio
import time
from typing import Any

from ministack.services import apigateway_v1

from local.emulator.gateway_call import answer_by
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.apigateway_v1", (
        "_execute_in_scope", "_call_lambda_raw", "_gateway_error_response", "_GatewayError", "_stages_v1",
        "_lambda_proxy_response",
    )),
]  # fmt: skip
MAX_BODY_BYTES = 10 * 1024 * 1024
INTEGRATION_LIMIT_S = 29.0
_RUNNING: set[Any] = set()


class _GaveUp(Exception):
    """The gateway answers by itself: with this response type, message and status."""

    def __init__(self, response_type: str, message: str, status: int) -> None:
        super().__init__(message)
        self.response_type, self.message, self.status = response_type, message, status


def _answer(failure: _GaveUp, request: dict[str, Any]) -> Any:
    error = apigateway_v1._GatewayError(
        failure.response_type, failure.message, "InternalServerErrorException"
    )
    status, headers, body = apigateway_v1._gateway_error_response(error, request)
    # DEFAULT_5XX has no status of its own unless the API sets one: it keeps that of the failure.
    return failure.status if status == 500 else status, headers, body


def is_proxy_response(payload: Any) -> bool:
    """Whether a function's answer has the form that a Lambda proxy integration accepts."""
    return isinstance(payload, dict) and isinstance(payload.get("statusCode"), int | str)


def patch() -> Patch:
    """Refuse large bodies, end slow integrations, hide the errors of functions."""
    execute, call, shape = (
        apigateway_v1._execute_in_scope, apigateway_v1._call_lambda_raw, apigateway_v1._lambda_proxy_response,
    )  # fmt: skip

    async def execute_in_scope(request: dict[str, Any], api_id: str, stage_name: str, *args: Any) -> Any:
        _method, _path, _headers, body = args[:4]
        stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
        if stage is not None and body and len(body) > MAX_BODY_BYTES:
            request["stage"] = stage
            return apigateway_v1._GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        try:
            return await execute(request, api_id, stage_name, *args)
        except _GaveUp as failure:
            return _answer(failure, request)

    async def call_lambda(*args: Any, **named: Any) -> Any:
        answer_by.set(time.monotonic() + INTEGRATION_LIMIT_S)
        # A thread cannot be stopped: the task is kept, the function ends by its own limit.
        task = asyncio.ensure_future(call(*args, **named))
        _RUNNING.add(task)
        task.add_done_callback(_RUNNING.discard)
        finished, _ = await asyncio.wait({task}, timeout=INTEGRATION_LIMIT_S)
        if not finished:
            raise _GaveUp("INTEGRATION_TIMEOUT", "Endpoint request timed out", 504)
        return task.result()

    def proxy_response(result: dict[str, Any]) -> Any:
        if result.get("throttle"):
            # AWS says 500 here: its 429 is for the gateway's own limits.
            raise _GaveUp("DEFAULT_5XX", "Internal server error", 500)
        if result.get("error") or not is_proxy_response(result.get("body")):
            raise _GaveUp("DEFAULT_5XX", "Internal server error", 502)
        return shape(result)

    return Patch(
        "gateway-limits",
        "ministack accepts bodies of any size, waits for ever and shows the errors of functions",
        [
            Replacement(apigateway_v1, "_execute_in_scope", execute_in_scope),
            Replacement(apigateway_v1, "_call_lambda_raw", call_lambda),
            Replacement(apigateway_v1, "_lambda_proxy_response", proxy_response),
        ],
    )
