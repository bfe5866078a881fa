"""The FastAPI application that every HTTP function starts from."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from starlette.exceptions import HTTPException

from haylift.domain.errors import HayliftError
from haylift.headers import PROBLEM_TYPE
from haylift.http.browsers import Browsers
from haylift.http.edge import Edge, Receive, Scope, Send
from haylift.http.gateway import RestProxy
from haylift.http.problems import on_haylift_error, on_http_error, on_invalid_request
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry


def create_app(title: str, telemetry: Telemetry, settings: HttpSettings | None = None) -> FastAPI:
    """An application that answers every failure with a problem document and records each request.

    Args:
        settings: web origins and hosts; without them no origin is allowed and every host is trusted.
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(HayliftError, on_haylift_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(Edge, telemetry=telemetry, browsers=Browsers(settings))
    open_to_all = settings and replace(settings, trusted_hosts=())
    app.state.bare_edge = partial(Edge, telemetry=telemetry, browsers=Browsers(open_to_all))
    return app


type LambdaHandler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def lambda_entry(app: FastAPI) -> LambdaHandler:
    """The Lambda entry of an application; call it once, while the function initialises."""
    # Mangum asks for the thread's event loop, which Python 3.12+ no longer makes by itself.
    asyncio.set_event_loop(asyncio.new_event_loop())
    return gateway_adapter(app)


def gateway_adapter(app: FastAPI) -> LambdaHandler:
    """Translates API Gateway's events; runs on the thread's current event loop.

    A fault of the translation itself is answered and recorded like a crash of the application: without
    it the gateway would answer for us, and no record, metric or log line would tell of the request.
    """
    translated = _mangum(app)

    def answer(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        try:
            return translated(event, context)
        except Exception as fault:  # the outermost: the edge of the crash logs it and answers
            crash = app.state.bare_edge(_raising(fault))
            return _mangum(crash)(_readable_part(event), context)

    return answer


def _mangum(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> LambdaHandler:
    # Whatever is not listed here would travel as base64, problem documents included.
    text_types = ["text/", "application/json", PROBLEM_TYPE, "application/javascript"]
    return Mangum(  # type: ignore[return-value]  # a callable
        app,  # type: ignore[arg-type]  # Mangum's own types of the same shape
        lifespan="off",
        text_mime_types=text_types,
        custom_handlers=[RestProxy],
    )


def _raising(fault: Exception) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise fault

    return crash


def _readable_part(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway itself wrote about the request, and nothing of the caller's."""
    context = event.get("requestContext")
    resource = event.get("resource")
    return {
        "resource": resource if isinstance(resource, str) else "",
        "path": "/",
        "httpMethod": str(event.get("httpMethod") or "GET"),
        "requestContext": context if isinstance(context, dict) else {},
    }
