"""The HTTP face of searching, asking and health."""

import time
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from haylift import http
from haylift.domain.identity import Permission, Principal
from haylift.http import caller, optional_caller, request_id_of, require
from haylift.resilience import Deadline
from haylift.services.answer import AnswerService
from haylift.services.health import HealthService, Status
from haylift.services.search import SearchService
from haylift.telemetry import Telemetry

from functions.search.answers import health_body, query_body, search_body
from functions.search.requests import QueryBody, SearchBody

SEARCH_TIMEOUT_S = 25.0
"""A search has no `timeout` of its own; the gateway gives up after 29 s."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need. `query_timeout_s`: a question's default `timeout`."""

    search: SearchService
    answer: AnswerService
    health: HealthService
    telemetry: Telemetry
    query_timeout_s: float


def create_app(services: Services) -> FastAPI:
    """The routes of `contract.ROUTES`.

    They call the services directly: a Lambda process answers one request at a time, so a thread pool
    would only add its cost.
    """
    app = http.create_app("Haylift search", services.telemetry)

    @app.post("/v1/search")
    async def search(body: SearchBody, request: Request) -> JSONResponse:
        principal = _reader(request)
        started = time.perf_counter()
        answer = services.search.search(body.to_request(), principal.scope, Deadline.after(SEARCH_TIMEOUT_S))
        took_ms = (time.perf_counter() - started) * 1_000
        return JSONResponse(search_body(answer, took_ms=took_ms, request_id=request_id_of(request)))

    @app.post("/v1/query")
    async def query(body: QueryBody, request: Request) -> JSONResponse:
        principal = _reader(request)
        started = time.perf_counter()
        deadline = Deadline.after(body.timeout_s(services.query_timeout_s))
        answer = services.answer.answer(body.to_request(), principal.scope, deadline)
        took_s = time.perf_counter() - started
        content = query_body(body.text, answer, took_s=took_s, request_id=request_id_of(request))
        return JSONResponse(content)

    @app.get("/health")
    async def health(request: Request) -> JSONResponse:
        principal = optional_caller(request)
        report = services.health.report()
        is_admin = principal is not None and principal.may(Permission.ADMIN)
        status_code = 503 if report.status is Status.UNHEALTHY else 200
        return JSONResponse(health_body(report, is_admin=is_admin), status_code)

    @app.get("/ready")
    async def ready() -> JSONResponse:
        reason = services.health.unready_reason()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not_ready", "reason": reason}, 503)

    return app


def _reader(request: Request) -> Principal:
    principal = caller(request)
    require(principal, Permission.READ)
    return principal
