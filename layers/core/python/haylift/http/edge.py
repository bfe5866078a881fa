"""The outermost layer: request ids, the limit of a body, metrics, and no traceback to the outside."""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request

from haylift.http.browsers import Browsers, missing_headers
from haylift.http.caller import gateway_context
from haylift.http.decisions import problem_code, record_request
from haylift.http.endpoint import endpoint_of
from haylift.http.problems import problem
from haylift.routes import ALIASED_PATHS
from haylift.telemetry import Metric, Telemetry
from haylift.telemetry import request_id as current_request_id
from haylift.tracing import OK, Hop, HopNote, hop

MAX_BODY_BYTES = 262_144
"""Larger bodies are 413 before any work; files go to the bucket, not through the API."""

logger = logging.getLogger("haylift.http")

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]


_FAILED_RATIO = "failed_ratio"


def note_failed_ratio(request: Request, failed_ratio: float) -> None:
    """Says which part of an answer failed on our side, where the answer itself is good.

    Args:
        failed_ratio: 0 to 1: of several things asked for at once, those that ended with 500 and above.
    """
    request.scope["state"][_FAILED_RATIO] = failed_ratio


class _BodyTooLarge(Exception):
    """The request's body exceeds `MAX_BODY_BYTES`."""


class Edge:
    """Outermost: gives the request its id, bounds the body, counts, and lets no traceback out."""

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Awaitable[None]],
        telemetry: Telemetry,
        browsers: Browsers | None = None,
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._browsers = browsers or Browsers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = gateway_context(scope).get("requestId") or str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        token = current_request_id.set(request_id)
        added = {"X-Request-Id": request_id, **self._browsers.answer_headers(scope["headers"])}
        answer = _Answer(send, added)
        started = time.perf_counter()
        try:
            with hop(Hop.FUNCTION, method=scope["method"]) as note:
                await self._answer(scope, receive, answer)
                _describe(note, scope, answer.status)
        finally:
            self._record(scope, answer.status, time.perf_counter() - started)
            record_request(scope, answer.status or 500, answer.code)
            current_request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        request_id = scope["state"]["request_id"]
        if not self._browsers.is_trusted(scope["headers"]):
            detail = "The Host header names no host of this deployment."
            await problem(400, "untrusted_host", detail, request_id)(scope, receive, answer.send)
            return
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
        path = endpoint_of(scope)
        route = ALIASED_PATHS.get(path, path)
        known_status = status or 500
        self._telemetry.record(
            Metric.REQUESTS, 1, method=scope["method"], endpoint=route, status=str(known_status)
        )
        self._telemetry.record(Metric.REQUEST_DURATION, duration_s, endpoint=route)
        failed_ratio = 1.0 if known_status >= 500 else float(scope["state"].get(_FAILED_RATIO, 0.0))
        self._telemetry.record(Metric.REQUEST_FAILURES, failed_ratio, endpoint=route)


def _describe(note: HopNote, scope: Scope, status: int) -> None:
    """The hop's endpoint (the route, never the path that was called) and status."""
    note.facts |= {"endpoint": endpoint_of(scope), "status": status}
    if status >= 500 and note.outcome == OK:
        note.outcome = f"status_{status}"


class _Answer:
    """Sees the status on its way out and adds the headers that every answer has."""

    def __init__(self, send: Send, added: dict[str, str]) -> None:
        self._send = send
        self._added = added
        self.status = 0
        self.code = ""
        self._headers: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message["headers"]
            message["headers"] = [*own, *missing_headers(own, self._added)]
            self._headers = own
        elif self.status >= 400:
            self.code = self.code or problem_code(self._headers, message.get("body", b""))
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
