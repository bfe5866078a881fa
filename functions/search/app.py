"""The HTTP face of searching, asking, rating and health."""

import time
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from haylift import http
from haylift.domain.identity import Permission
from haylift.http import optional_caller, request_id_of
from haylift.http.edge import note_failed_ratio
from haylift.http.ratelimit import RateLimitHeaders, admitting_route
from haylift.resilience import Deadline
from haylift.services.answer import AnswerService
from haylift.services.batch import BatchSearchService
from haylift.services.feedback import FeedbackService
from haylift.services.flags import LoadShedder
from haylift.services.health import HealthService, Status
from haylift.services.limits import RatingLimits, SearchLimits
from haylift.services.search import SearchService
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry

from functions.search.answers import batch_body, failed_ratio, health_body, query_body, search_body
from functions.search.gate import Gate, reader
from functions.search.operations import BATCH, FEEDBACK, HEALTH, QUERY, READY, SEARCH
from functions.search.requests import BatchBody, FeedbackBody, QueryBody, SearchBody

SEARCH_TIMEOUT_S = 25.0
"""A search, or a whole batch, has no `timeout` of its own; the gateway gives up after 29 s."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need. `query_timeout_s`: a question's default `timeout`."""

    search: SearchService
    answer: AnswerService
    feedback: FeedbackService
    health: HealthService
    limits: SearchLimits
    rating_limits: RatingLimits
    shedder: LoadShedder
    telemetry: Telemetry
    query_timeout_s: float


def create_app(services: Services, settings: HttpSettings | None = None) -> FastAPI:
    """The routes of `contract.ROUTES`; a path of the guides is another path of the same route's function.

    They call the services directly: a Lambda process answers one request at a time, so a thread pool
    would only add its cost.
    """
    app = http.create_app("Haylift search", services.telemetry, settings)
    app.add_middleware(RateLimitHeaders)
    gate = Gate(services.shedder, services.limits, services.rating_limits)
    _add_searching(app, services, admitting_route(gate.admit))
    _add_batching(app, BatchSearchService(services.search), admitting_route(gate.admit_batch))
    _add_feedback(app, services.feedback, admitting_route(gate.admit_rating))
    _add_health(app, services.health)
    return app


def _add_searching(app: FastAPI, services: Services, counted: type[APIRoute]) -> None:
    async def search(body: SearchBody, request: Request) -> JSONResponse:
        scope = reader(request).scope
        started = time.perf_counter()
        answer = services.search.search(body.to_request(), scope, Deadline.after(SEARCH_TIMEOUT_S))
        took_ms = (time.perf_counter() - started) * 1_000
        return JSONResponse(search_body(answer, took_ms=took_ms, request_id=request_id_of(request)))

    async def query(body: QueryBody, request: Request) -> JSONResponse:
        scope = reader(request).scope
        started = time.perf_counter()
        deadline = Deadline.after(body.timeout_s(services.query_timeout_s))
        answer = services.answer.answer(body.to_request(), scope, deadline)
        took_s = time.perf_counter() - started
        content = query_body(body.text, answer, took_s=took_s, request_id=request_id_of(request))
        return JSONResponse(content)

    for path in ("/v1/search", "/search"):
        app.router.add_api_route(path, search, methods=["POST"], route_class_override=counted, **SEARCH)
    for path in ("/v1/query", "/query"):
        app.router.add_api_route(path, query, methods=["POST"], route_class_override=counted, **QUERY)


def _add_batching(app: FastAPI, batch: BatchSearchService, counted: type[APIRoute]) -> None:
    async def search_batch(body: BatchBody, request: Request) -> JSONResponse:
        scope = reader(request).scope
        started = time.perf_counter()
        outcomes = batch.search(body.to_requests(), scope, Deadline.after(SEARCH_TIMEOUT_S))
        took_ms = (time.perf_counter() - started) * 1_000
        note_failed_ratio(request, failed_ratio(outcomes))
        return JSONResponse(batch_body(outcomes, took_ms=took_ms, request_id=request_id_of(request)))

    for path in ("/v1/search/batch", "/batch-search"):
        app.router.add_api_route(path, search_batch, methods=["POST"], route_class_override=counted, **BATCH)


def _add_feedback(app: FastAPI, service: FeedbackService, counted: type[APIRoute]) -> None:
    async def feedback(body: FeedbackBody, request: Request) -> JSONResponse:
        rating_id, replaced = service.rate(
            reader(request), body.request_id, kind=body.kind, rating=body.rating, comment=body.comment or ""
        )
        return JSONResponse({"rating_id": rating_id, "replaced": replaced}, 201)

    path = "/v1/feedback"
    app.router.add_api_route(path, feedback, methods=["POST"], route_class_override=counted, **FEEDBACK)


def _add_health(app: FastAPI, service: HealthService) -> None:
    @app.get("/health", **HEALTH)
    async def health(request: Request) -> JSONResponse:
        principal = optional_caller(request)
        report = service.report()
        is_admin = principal is not None and principal.may(Permission.ADMIN)
        status_code = 503 if report.status is Status.UNHEALTHY else 200
        return JSONResponse(health_body(report, is_admin=is_admin), status_code)

    @app.get("/ready", **READY)
    async def ready() -> JSONResponse:
        reason = service.unready_reason()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not_ready", "reason": reason}, 503)
