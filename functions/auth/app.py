"""The HTTP face of logging in."""

from typing import Annotated

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from haylift import http
from haylift.http import RequestModel
from haylift.services.login import LoginService, TokenPair
from haylift.services.users import MAX_PASSWORD_CHARS
from haylift.telemetry import Telemetry
from pydantic import Field

MAX_TOKEN_CHARS = 1_024
JWKS_MAX_AGE_S = 300
"""How long the public keys may be cached: a new key is published at least this long before it signs."""


class LoginRequest(RequestModel):
    """A name and a password; what cannot be a user's name is simply unknown."""

    username: Annotated[str, Field(max_length=256)]
    password: Annotated[str, Field(max_length=MAX_PASSWORD_CHARS)]


class RefreshRequest(RequestModel):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, Field(max_length=MAX_TOKEN_CHARS)]


def create_app(service: LoginService, telemetry: Telemetry) -> FastAPI:
    """The routes of `contract.ROUTES`."""
    app = http.create_app("Haylift auth", telemetry)

    @app.post("/v1/auth/login")
    async def login(request: LoginRequest) -> JSONResponse:
        return _answer(service.login(request.username, request.password))

    @app.post("/v1/auth/refresh")
    async def refresh(request: RefreshRequest) -> JSONResponse:
        return _answer(service.refresh(request.refresh_token))

    @app.get("/.well-known/jwks.json")
    async def jwks() -> JSONResponse:
        return JSONResponse(service.jwks(), headers={"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"})

    return app


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
