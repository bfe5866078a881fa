"""The HTTP face of logging in and out."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from haylift import http
from haylift.domain.errors import LimitExceeded, NotAuthenticated
from haylift.http import RequestModel
from haylift.http.caller import source_address
from haylift.http.decisions import note_decision
from haylift.http.ratelimit import RateLimitHeaders, admitting_route, require_allowance
from haylift.services.login import LoginService, TokenPair
from haylift.services.login_limit import AddressLimit
from haylift.services.logout import LogoutService
from haylift.services.users import MAX_PASSWORD_CHARS, is_username
from haylift.settings import HttpSettings
from haylift.telemetry import Metric, Telemetry
from pydantic import Field

from functions.auth.operations import JWKS, LOGIN, LOGOUT, REFRESH

MAX_TOKEN_CHARS = 1_024
JWKS_MAX_AGE_S = 300
"""How long the public keys may be cached: a new key is published at least this long before it signs."""

LIMIT = "login"
REFRESH_LIMIT = "refresh"


class LoginRequest(RequestModel):
    """A name and a password; what cannot be a user's name is simply unknown."""

    username: Annotated[str, Field(max_length=256)]
    password: Annotated[str, Field(max_length=MAX_PASSWORD_CHARS)]


class RefreshRequest(RequestModel):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, Field(max_length=MAX_TOKEN_CHARS)]


class LogoutRequest(RequestModel):
    """What ends besides the access token: the refresh token's family, or all of the user's sessions."""

    refresh_token: Annotated[str, Field(max_length=MAX_TOKEN_CHARS)] | None = None
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need."""

    login: LoginService
    limit: AddressLimit
    refresh_limit: AddressLimit
    logout: LogoutService
    telemetry: Telemetry


def create_app(services: Services, settings: HttpSettings | None = None) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift auth", services.telemetry, settings)
    app.add_middleware(RateLimitHeaders)
    _add_login(app, services)
    _add_refresh(app, services)

    @app.post("/v1/auth/logout", **LOGOUT)
    async def logout(request: Request, body: LogoutRequest | None = None) -> Response:
        session = http.session(request)
        note_decision(request, resource=session.principal.subject)
        wanted = body or LogoutRequest()
        services.logout.logout(session, wanted.refresh_token, everywhere=wanted.everywhere)
        return Response(status_code=204)

    @app.get("/.well-known/jwks.json", **JWKS)
    async def jwks() -> JSONResponse:
        keys = services.login.jwks()
        return JSONResponse(keys, headers={"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"})

    return app


def _add_login(app: FastAPI, services: Services) -> None:
    """Logins are counted before their body is read, so that a flood costs no password hash."""

    async def admit(request: Request) -> None:
        allowance = services.limit.take(source_address(request))
        if allowance is None:
            return
        try:
            require_allowance(request, LIMIT, allowance)
        except LimitExceeded:
            services.telemetry.record(Metric.LOGINS, 1, outcome="limited")
            services.telemetry.record(Metric.RATE_LIMITED, 1, limit=LIMIT)
            raise

    counted = admitting_route(admit)

    async def login(body: LoginRequest, request: Request) -> JSONResponse:
        if is_username(body.username):
            # Anything else may be a password in the wrong field.
            note_decision(request, actor=body.username, resource=body.username)
        try:
            pair = services.login.login(body.username, body.password)
        except NotAuthenticated:
            services.telemetry.record(Metric.LOGINS, 1, outcome="refused")
            raise
        note_decision(request, tenant=pair.tenant)
        services.telemetry.record(Metric.LOGINS, 1, outcome="granted")
        return _answer(pair)

    for path in ("/v1/auth/login", "/login"):
        app.router.add_api_route(path, login, methods=["POST"], route_class_override=counted, **LOGIN)


def _add_refresh(app: FastAPI, services: Services) -> None:
    """Refreshes are counted before anything is read: each costs a signature of the key."""

    async def admit(request: Request) -> None:
        allowance = services.refresh_limit.take(source_address(request))
        if allowance is None:
            return
        try:
            require_allowance(request, REFRESH_LIMIT, allowance)
        except LimitExceeded:
            services.telemetry.record(Metric.RATE_LIMITED, 1, limit=REFRESH_LIMIT)
            raise

    async def refresh(body: RefreshRequest, request: Request) -> JSONResponse:
        pair = services.login.refresh(body.refresh_token)
        note_decision(request, actor=pair.username, tenant=pair.tenant, resource=pair.username)
        return _answer(pair)

    counted = admitting_route(admit)
    path = "/v1/auth/refresh"
    app.router.add_api_route(path, refresh, methods=["POST"], route_class_override=counted, **REFRESH)


def _answer(pair: TokenPair) -> JSONResponse:
    return JSONResponse(
        {
            "access_token": pair.access_token,
            "token_type": "bearer",
            "expires_in": pair.expires_in_s,
            "refresh_token": pair.refresh_token,
            "refresh_expires_in": pair.refresh_expires_in_s,
        }
    )
