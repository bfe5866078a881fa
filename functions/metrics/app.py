"""The HTTP face of the metrics."""

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from haylift import http
from haylift.domain.identity import Permission
from haylift.http import caller, require
from haylift.services.exposition import ExpositionService
from haylift.settings import HttpSettings
from haylift.telemetry import Telemetry

from functions.metrics.operations import METRICS
from functions.metrics.text import CONTENT_TYPE, prometheus_text


def create_app(
    service: ExpositionService, telemetry: Telemetry, settings: HttpSettings | None = None
) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift metrics", telemetry, settings)

    @app.get("/metrics", **METRICS)
    async def metrics(request: Request) -> PlainTextResponse:
        require(caller(request), Permission.READ)
        return PlainTextResponse(prometheus_text(service.families()), media_type=CONTENT_TYPE)

    return app
