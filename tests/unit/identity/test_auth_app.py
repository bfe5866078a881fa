"""Logging in over HTTP."""

from typing import Any

import pytest
from fastapi.routing import APIRoute
from haylift.domain.identity import Principal, Role

from functions.auth.contract import ROUTES
from tests.fakes.gateway import Gateway
from tests.fakes.identity import (
    SoftwareKms,
)
from tests.unit.identity.auth_world import login


def test_the_app_answers_the_contracts_routes(gateway: Gateway) -> None:
    answered = {
        (method, route.path)
        for route in gateway.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }

    assert answered == {(route.method, route.path) for route in ROUTES}


def test_a_login_gives_a_pair_of_tokens(gateway: Gateway) -> None:
    answer = login(gateway)

    assert answer.status == 200
    body = answer.json()
    assert body.keys() == {
        "access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in",
    }  # fmt: skip
    assert (body["token_type"], body["expires_in"], body["refresh_expires_in"]) == ("bearer", 900, 3_600)
    assert body["access_token"].count(".") == 2
    assert answer.headers["cache-control"] == "no-store"


def test_every_stranger_gets_the_same_answer(gateway: Gateway) -> None:
    answers = [
        login(gateway, "nobody"),
        login(gateway, "ada", "wrong"),
        login(gateway, "eve"),
        login(gateway, ""),
    ]

    assert [answer.status for answer in answers] == [401] * 4
    assert [answer.json() for answer in answers] == [
        {
            "type": "urn:haylift:problem:invalid_credentials",
            "title": "Not authenticated",
            "status": 401,
            "detail": "User name or password is wrong.",
            "code": "invalid_credentials",
            "request_id": "request-1",
        }
    ] * 4


@pytest.mark.parametrize(
    ("body", "raw", "code"),
    [
        (None, None, "invalid_request"),
        ([], None, "invalid_request"),
        ({}, None, "invalid_request"),
        ({"username": "ada"}, None, "invalid_request"),
        ({"username": "ada", "password": None}, None, "invalid_request"),
        ({"username": "ada", "password": 12345678}, None, "invalid_request"),
        ({"username": ["ada"], "password": "correct horse"}, None, "invalid_request"),
        ({"username": "ada", "password": {"$ne": ""}}, None, "invalid_request"),
        ({"username": "ada", "password": "x" * 1_025}, None, "invalid_request"),
        ({"username": "a" * 257, "password": "correct horse"}, None, "invalid_request"),
        ({"username": "ada", "password": "correct horse", "role": "admin"}, None, "invalid_request"),
        (None, '{"username": "ada"', "invalid_json"),
        (None, "username=ada&password=correct", "invalid_json"),
    ],
)
def test_a_bad_login_is_400(gateway: Gateway, body: Any, raw: str | None, code: str) -> None:
    answer = gateway.request("POST", "/v1/auth/login", body, raw=raw)

    assert (answer.status, answer.json()["code"]) == (400, code)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "raw", [r'{"username": "\ud800", "password": "\ud800"}', '{"username": "ada", "password": "\\u0000"}']
)
def test_a_text_that_utf8_cannot_hold_is_no_crash(gateway: Gateway, raw: str) -> None:
    assert gateway.request("POST", "/v1/auth/login", raw=raw).status in {400, 401}


def test_a_password_is_never_in_an_answer(gateway: Gateway) -> None:
    answer = gateway.request("POST", "/v1/auth/login", {"username": 5, "password": "hunter2-hunter2"})

    assert answer.status == 400
    assert "hunter2" not in answer.text


def test_a_refresh_gives_the_next_pair(gateway: Gateway) -> None:
    first = login(gateway).json()

    answer = gateway.request("POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]})

    assert answer.status == 200
    assert answer.json()["refresh_token"] != first["refresh_token"]
    assert answer.json().keys() == first.keys()


@pytest.mark.parametrize("token", ["", "unknown", "a" * 1_024])
def test_an_unknown_refresh_token_is_401(gateway: Gateway, token: str) -> None:
    answer = gateway.request("POST", "/v1/auth/refresh", {"refresh_token": token})

    assert (answer.status, answer.json()["code"]) == (401, "invalid_refresh_token")


def test_an_access_token_refreshes_nothing(gateway: Gateway) -> None:
    access_token = login(gateway).json()["access_token"]

    answer = gateway.request("POST", "/v1/auth/refresh", {"refresh_token": access_token})

    assert (answer.status, answer.json()["code"]) == (401, "invalid_refresh_token")


def test_the_public_keys_may_be_cached(gateway: Gateway) -> None:
    answer = gateway.request("GET", "/.well-known/jwks.json")

    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert [key["kty"] for key in answer.json()["keys"]] == ["EC"]
    assert "d" not in answer.json()["keys"][0]


def test_without_kms_a_login_is_503(gateway: Gateway, kms: SoftwareKms) -> None:
    kms.is_down = True

    answer = login(gateway)

    assert (answer.status, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"] == "5"


ADA = Principal(
    subject="ada",
    tenant="acme",
    role=Role.EDITOR,
    permissions=Role.EDITOR.permissions,
    groups=frozenset({"staff"}),
)


@pytest.fixture
def ada(gateway: Gateway) -> Gateway:
    gateway.caller = ADA
    return gateway


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(None, None), (None, "application/json"), ({}, "application/json")],
)
def test_a_logout_has_no_content(ada: Gateway, body: Any, content_type: str | None) -> None:
    ada.content_type = content_type

    answer = ada.request("POST", "/v1/auth/logout", body)

    assert (answer.status, answer.text) == (204, "")


def test_a_logout_ends_the_refresh_token_it_is_given(ada: Gateway) -> None:
    refresh_token = login(ada).json()["refresh_token"]

    answer = ada.request("POST", "/v1/auth/logout", {"refresh_token": refresh_token})

    assert answer.status == 204
    again = ada.request("POST", "/v1/auth/refresh", {"refresh_token": refresh_token})
    assert (again.status, again.json()["code"]) == (401, "invalid_refresh_token")


def test_a_foreign_refresh_token_is_401(ada: Gateway) -> None:
    answer = ada.request("POST", "/v1/auth/logout", {"refresh_token": "somebody-else's"})

    assert (answer.status, answer.json()["code"]) == (401, "invalid_refresh_token")
    assert "somebody-else's" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"everywhere": "yes"},
        {"jti": "token-2"},
        {"user": "bob"},
        {"refresh_token": 5},
        {"tenant": "globex"},
    ],
)
def test_a_logout_takes_nobody_elses_name(ada: Gateway, body: Any) -> None:
    answer = ada.request("POST", "/v1/auth/logout", body)

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")


def test_a_logout_without_a_caller_is_401(gateway: Gateway) -> None:
    assert gateway.request("POST", "/v1/auth/logout").status == 401


def test_the_guides_login_is_the_same(gateway: Gateway) -> None:
    answer = gateway.request("POST", "/login", {"username": "ada", "password": "correct horse"})

    assert answer.status == 200
    assert answer.json().keys() >= {"access_token", "token_type", "expires_in"}
