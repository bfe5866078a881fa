"""All functions in one process behind a small gateway: routes, tokens and problems as it has them."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from haylift.contract import Access, Route
from haylift.domain.documents import DocumentState
from haylift.domain.identity import Principal, Role
from haylift.headers import PROBLEM_TYPE
from haylift.routes import ALL_ROUTES
from haylift.services.exposition import ExpositionService
from haylift.services.login_limit import AddressLimit
from haylift.telemetry import Metric

from functions.auth.app import Services as AuthServices
from functions.auth.app import create_app as auth_app
from functions.documents.app import create_app as documents_app
from functions.metrics.app import create_app as metrics_app
from functions.reference.app import create_app as reference_app
from functions.reference.pages import Pages, read_pages
from tests.contract.drift.contracts import contract_of, functions_with
from tests.fakes.gateway import RecordedTelemetry, principal
from tests.fakes.identity import ManualClock, MemoryLimiter
from tests.fakes.metrics import MemoryMetrics
from tests.unit.documents.shelf import record, service
from tests.unit.identity.login_world import World
from tests.unit.search.system import System

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "good"
REQUEST_ID = "request-00000001"
CALLER = principal(Role.ADMIN, "acme", frozenset({"staff"}))

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def pages() -> Pages:
    """The reference's files, Swagger UI's from where npm has put them."""
    return read_pages(files("functions.reference"), ROOT / "node_modules" / "swagger-ui-dist")


def applications() -> dict[str, FastAPI]:
    """Every HTTP function over fakes, by name."""
    telemetry, clock = RecordedTelemetry(), ManualClock()
    world, metrics = World(), MemoryMetrics()
    metrics.record(Metric.LOAD_SHED, 1, clock.now() - 100)
    unlimited = AddressLimit(limiter=MemoryLimiter(), requests_per_minute=0)
    shelf = service(record(), record("old.md", state=DocumentState.REJECTED, reason="encrypted"))
    return {
        "auth": auth_app(
            AuthServices(
                login=world.service,
                limit=unlimited,
                refresh_limit=unlimited,
                logout=world.logout,
                telemetry=telemetry,
            )
        ),
        "documents": documents_app(shelf, telemetry),
        "metrics": metrics_app(ExpositionService(metrics, clock), telemetry),
        "reference": reference_app(pages(), telemetry),
        "search": System().app,
    }


class InProcessApi:
    """An ASGI application that answers as the deployment does."""

    def __init__(self, apps: dict[str, FastAPI] | None = None) -> None:
        apps = apps or applications()
        self._app_by_route = {
            (route.method, route.path): apps[name]
            for name in functions_with("ROUTES")
            for route in contract_of(name).ROUTES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        route = _route(scope["method"], scope["path"])
        if route is None:
            await _refuse(send, 404, "route_not_found", "There is no such route.")
            return
        caller = _caller(scope)
        if route.access is Access.TOKEN and caller is None:
            await _refuse(send, 401, "unauthorized", "The token is missing, expired or not ours.")
            return
        event = {"requestContext": {"requestId": REQUEST_ID, "authorizer": _context(caller)}}
        await self._app_by_route[route.method, route.path]({**scope, "aws.event": event}, receive, send)


def _route(method: str, path: str) -> Route | None:
    fitting = [
        route for route in ALL_ROUTES if route.method == method and re.fullmatch(_pattern(route), path)
    ]
    return min(fitting, key=lambda route: "{" in route.path, default=None)


def _pattern(route: Route) -> str:
    return re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(route.path))


def _caller(scope: Scope) -> Principal | None:
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return CALLER if sent == [f"Bearer {TOKEN}".encode()] else None


def _context(caller: Principal | None) -> dict[str, str] | None:
    if caller is None:
        return None
    return {
        "sub": caller.subject,
        "tenant": caller.tenant,
        "role": caller.role.value,
        "permissions": ",".join(sorted(caller.permissions)),
        "groups": ",".join(sorted(caller.groups)),
        "jti": "token-1",
        "exp": "4000000000",
        "stamp": "stamp-1",
    }


async def _refuse(send: Send, status: int, code: str, detail: str) -> None:
    problem = {
        "type": f"urn:haylift:problem:{code}",
        "title": "Refused",
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": REQUEST_ID,
    }
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"x-request-id", REQUEST_ID.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
