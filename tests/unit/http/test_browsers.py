"""What browsers are told, and which hosts are ours."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from haylift.headers import SECURITY_HEADERS
from haylift.http import create_app
from haylift.settings import HttpSettings, SettingsError, read_settings

from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry

APP = "https://app.example.com"


def app(origins: tuple[str, ...] = (APP,), hosts: tuple[str, ...] = ()) -> FastAPI:
    settings = HttpSettings(stage="test", allowed_origins=origins, trusted_hosts=hosts)
    made = create_app("test", RecordedTelemetry(), settings)

    @made.get("/ok")
    async def ok() -> dict[str, bool]:
        return {"ok": True}

    @made.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    return made


def ask(path: str = "/ok", *, method: str = "GET", on: FastAPI | None = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Gateway(on or app()).request(method, path, headers=sent)


def test_an_allowed_origin_may_read_the_answer_and_our_headers() -> None:
    answer = ask(origin=APP)

    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["vary"] == "Origin"
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-request-id", "retry-after", "ratelimit", "ratelimit-policy"} <= set(exposed)
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/bug", "/nowhere"])
def test_an_allowed_origin_may_read_failures_too(path: str) -> None:
    assert ask(path, origin=APP).headers["access-control-allow-origin"] == APP


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "null",
        "*",
    ],
)
def test_no_other_origin_may(origin: str) -> None:
    answer = ask(origin=origin)

    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def test_without_allowed_origins_nothing_is_said_about_them() -> None:
    answer = ask(on=app(origins=()), origin=APP)

    assert not {"vary", "access-control-allow-origin"} & answer.headers.keys()


@pytest.mark.parametrize(
    "origin", ["*", "https://app.example.com/", "app.example.com", "https://*.x.com", ""]
)
def test_what_is_no_origin_stops_the_function_at_its_start(origin: str) -> None:
    with pytest.raises(SettingsError, match="is no origin"):
        HttpSettings(stage="test", allowed_origins=(origin,))


def test_several_origins_come_from_the_environment() -> None:
    environment = {"HAYLIFT_STAGE": "dev", "HAYLIFT_ALLOWED_ORIGINS": f"{APP},http://localhost:3000"}

    settings = read_settings(HttpSettings, environment)

    assert settings.allowed_origins == (APP, "http://localhost:3000")


@pytest.mark.parametrize("host", ["api.example.com", "API.Example.com:443", "eu.api.example.org"])
def test_a_trusted_host_is_answered(host: str) -> None:
    on = app(hosts=("api.example.com", "*.example.org"))

    assert ask(on=on, host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "api.example.com.evil.example", "example.org", ""])
def test_any_other_host_is_a_problem(host: str) -> None:
    answer = ask(on=app(hosts=("api.example.com", "*.example.org")), host=host)

    assert (answer.status, answer.json()["code"]) == (400, "untrusted_host")
    assert answer.headers["content-type"] == "application/problem+json"


def lacking(request: Callable[[], Answer]) -> set[str]:
    """Headers that every answer must have and this one lacks."""
    wanted = {*SECURITY_HEADERS, "Content-Security-Policy", "X-Request-Id"}
    return {name for name in wanted if name.lower() not in request().headers}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/ok"), ("GET", "/bug"), ("GET", "/nowhere"), ("POST", "/ok"), ("HEAD", "/ok")],
)
def test_every_answer_has_the_security_headers(method: str, path: str) -> None:
    assert lacking(lambda: ask(path, method=method)) == set()


def test_an_application_without_the_edge_would_be_seen() -> None:
    bare = FastAPI()

    assert "X-Content-Type-Options" in lacking(lambda: ask(on=bare))


def test_strict_transport_security_is_said_over_tls_only() -> None:
    assert "strict-transport-security" not in ask().headers
    assert "strict-transport-security" in ask(x_forwarded_proto="https").headers


def test_an_unknown_method_is_told_the_known_ones() -> None:
    answer = ask(method="DELETE")

    assert (answer.status, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("raw", [b'{"name": "\xff"}', b"\xc3\x28", b"\x80"])
def test_a_body_that_is_no_text_is_400(raw: bytes) -> None:
    made = app()

    @made.post("/echo")
    async def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    answer = Gateway(made).request("POST", "/echo", raw=raw)

    assert (answer.status, answer.json()["code"]) in {(400, "invalid_json"), (400, "invalid_request")}
