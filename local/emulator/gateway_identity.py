"""Patches `source-address` and `request-id`: what a function learns of the caller and of the call.

`identity.sourceIp` is the peer of the connection. ministack takes it from X-Forwarded-For, which is the
caller's own text: limits by address could be dodged. API Gateway appends the peer to that header.
The request id is the same for authorizer, function, gateway error and response header.
"""

from typing import Any
from uuid import uuid4

from ministack.services import apigateway_v1

from local.emulator.gateway_call import peer_address, request_id
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.apigateway_v1", (
        "_build_lambda_event_v1", "_invoke_authorizer_lambda", "_handle_execute_in_scope", "new_uuid",
    )),
]  # fmt: skip


def with_peer(event: dict[str, Any], peer: str) -> dict[str, Any]:
    """The event with the peer as source address, and as the last hop of X-Forwarded-For."""
    event["requestContext"]["identity"]["sourceIp"] = peer
    said = {name.lower(): value for name, value in event["headers"].items()}.get("x-forwarded-for")
    hops = f"{said}, {peer}" if said else peer
    for headers, value in ((event["headers"], hops), (event["multiValueHeaders"], [hops])):
        for name in [name for name in headers if name.lower() == "x-forwarded-for"]:
            del headers[name]
        headers["X-Forwarded-For"] = value
    return event


def with_request_id(headers: dict[str, Any], call_id: str | None) -> dict[str, Any]:
    """Headers of a mock integration, whose `context.requestId` ministack answers as it stands.

    >>> with_request_id({"X-Request-Id": "context.requestId", "Vary": "Origin"}, "call-1")
    {'X-Request-Id': 'call-1', 'Vary': 'Origin'}
    """
    return {name: call_id if value == "context.requestId" else value for name, value in headers.items()}


def source_address_patch() -> Patch:
    """Give functions and authorizers the peer's address."""
    build, invoke_authorizer = apigateway_v1._build_lambda_event_v1, apigateway_v1._invoke_authorizer_lambda

    def build_event(*args: Any, **named: Any) -> dict[str, Any]:
        return with_peer(build(*args, **named), peer_address.get())

    async def call_authorizer(authorizer: Any, event: dict[str, Any], account_id: str, region: str) -> Any:
        if event.get("type") == "REQUEST":
            event = with_peer(event, peer_address.get())
        return await invoke_authorizer(authorizer, event, account_id, region)

    return Patch(
        "source-address",
        "ministack believes X-Forwarded-For",
        [
            Replacement(apigateway_v1, "_build_lambda_event_v1", build_event),
            Replacement(apigateway_v1, "_invoke_authorizer_lambda", call_authorizer),
        ],
    )


def request_id_patch() -> Patch:
    """Give one id to everything that belongs to a call, and answer it in `x-amzn-requestid`."""
    execute, invoke_authorizer = (
        apigateway_v1._handle_execute_in_scope,
        apigateway_v1._invoke_authorizer_lambda,
    )
    new_uuid = apigateway_v1.new_uuid

    async def execute_in_scope(*args: Any, **named: Any) -> tuple[int, dict[str, Any], Any]:
        token = request_id.set(str(uuid4()))
        try:
            status, headers, body = await execute(*args, **named)
            return (
                status,
                {**with_request_id(headers, request_id.get()), "x-amzn-requestid": request_id.get()},
                body,
            )
        finally:
            request_id.reset(token)

    async def call_authorizer(authorizer: Any, event: dict[str, Any], account_id: str, region: str) -> Any:
        if event.get("type") == "REQUEST":
            event["requestContext"]["requestId"] = request_id.get()
        return await invoke_authorizer(authorizer, event, account_id, region)

    return Patch(
        "request-id",
        "ministack gives the function, the error and the response different ids, and the authorizer none",
        [
            Replacement(apigateway_v1, "_handle_execute_in_scope", execute_in_scope),
            Replacement(apigateway_v1, "_invoke_authorizer_lambda", call_authorizer),
            Replacement(apigateway_v1, "new_uuid", lambda: request_id.get() or new_uuid()),
        ],
    )
