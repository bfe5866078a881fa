"""The outermost layer: request ids, the limit of a body, metrics, and no traceback to the outside."""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from haylift.http.caller import gateway_context
from haylift.http.problems import problem
from haylift.telemetry import Metric, Telemetry
from haylift.telemetry import request_id as current_request_id

MAX_BODY_BYTES = 262_144
"""Larger bodies are 413 before any work; files go to the bucket, not through the API."""

COMMON_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
logger = logging.getLogger("haylift.http")

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]


class _BodyTooLarge(Exception):
    """The request's body exceeds `MAX_BODY_BYTES`."""


class Edge:
    """Outermost: gives the request its id, bounds the body, counts, and lets no traceback out."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = gateway_context(scope).get("requestId") or str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        token = current_request_id.set(request_id)
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        try:
            await self._answer(scope, receive, answer)
        finally:
            self._record(scope, answer.status, time.perf_counter() - started)
            current_request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        request_id = scope["state"]["request_id"]
        try:
            await self._app(scope, await _bounded(receive), answer.send)
        except _BodyTooLarge:
            detail = f"A body has at most {MAX_BODY_BYTES} bytes; upload files through POST /v1/documents."
            await problem(413, "body_too_large", detail, request_id)(scope, receive, answer.send)
        except Exception:
            logger.exception("request crashed")
            if answer.status:
                raise
            detail = "Something went wrong on our side; quote the request id when you report it."
            await problem(500, "internal_error", detail, request_id)(scope, receive, answer.send)

    def _record(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        known_status = status or 500
        self._telemetry.record(
            Metric.REQUESTS, 1, method=scope["method"], endpoint=route, status=str(known_status)
        )
        self._telemetry.record(Metric.REQUEST_DURATION, duration_s, endpoint=route)
        self._telemetry.record(Metric.REQUEST_FAILURES, int(known_status >= 500), endpoint=route)


class _Answer:
    """Sees the status on its way out and adds the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message["headers"]
            named = {name for name, _ in own}
            added = [header for header in COMMON_HEADERS if header[0] not in named]
            message["headers"] = [*own, (b"x-request-id", self._request_id.encode()), *added]
        await self._send(message)


async def _bounded(receive: Receive) -> Receive:
    """Reads the body up to its limit and plays it back."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _BodyTooLarge
        if not message.get("more_body"):
            break
    replay = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> Message:
        return next(replay, {"type": "http.disconnect"})

    return replayed
