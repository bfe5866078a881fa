"""The FastAPI application that every HTTP function starts from."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from starlette.exceptions import HTTPException

from haylift.domain.errors import HayliftError
from haylift.headers import PROBLEM_TYPE
from haylift.http.browsers import Browsers
from haylift.http.edge import Edge
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
    return app


type LambdaHandler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def lambda_entry(app: FastAPI) -> LambdaHandler:
    """The Lambda entry of an application; call it once, while the function initialises."""
    # Mangum asks for the thread's event loop, which Python 3.12+ no longer makes by itself.
    asyncio.set_event_loop(asyncio.new_event_loop())
    return gateway_adapter(app)


def gateway_adapter(app: FastAPI) -> LambdaHandler:
    """Translates API Gateway's events; runs on the thread's current event loop."""
    # Whatever is not listed here would travel as base64, problem documents included.
    text_types = ["text/", "application/json", PROBLEM_TYPE, "application/javascript"]
    return Mangum(app, lifespan="off", text_mime_types=text_types)  # type: ignore[return-value]  # a callable
