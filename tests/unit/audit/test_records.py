"""A record says who did what, and holds nothing else, whatever a caller sends."""

import json
import logging
from typing import Any

import pytest
from haylift.adapters.kms_tokens import KmsTokens
from haylift.adapters.lambda_telemetry import configure_logging
from haylift.audit import AuditRecord, Outcome, record
from haylift.services.login import LoginService
from haylift.services.login_limit import AddressLimit
from haylift.services.logout import LogoutService
from hypothesis import given
from hypothesis import strategies as st

from functions.auth.app import Services, create_app
from tests.fakes.audit import Written
from tests.fakes.gateway import Gateway, RecordedTelemetry
from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryLimiter,
    MemoryRefreshTokens,
    MemoryRevocations,
    MemoryUsers,
    SoftwareKms,
    user,
)

HOSTILE = [
    "two\nlines",
    "\x1b[31mred\x1b[0m",
    '{"_aws": {"Timestamp": 0}}',
    '", "audit": {"action": "forged"}, "x": "',
    "\u202eright to left",
    "\ud800",
    "\x00",
    "x" * 1_000_000,
]


def entry(**changes: Any) -> AuditRecord:
    fields: dict[str, Any] = {
        "actor": "ada",
        "tenant": "acme",
        "action": "POST /v1/search",
        "resource": "",
        "outcome": Outcome.ALLOWED,
    }
    return AuditRecord(**{**fields, **changes})


@given(st.text() | st.sampled_from(HOSTILE))
def test_every_text_is_bounded_and_printable(text: str) -> None:
    made = entry(actor=text, tenant=text, resource=text, code=text, request_id=text, source_address=text)

    for field in (made.actor, made.tenant, made.resource, made.code, made.request_id, made.source_address):
        assert len(field) <= 256
        assert field.isprintable()


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_a_record_is_written_whatever_the_log_level(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger("haylift")
    before = (root.handlers, root.level, root.propagate)
    try:
        configure_logging(f"audit-{level}", level)
        record(entry(actor="a\nb"))
    finally:
        root.handlers, root.propagate = before[0], before[2]
        root.setLevel(before[1])

    (line,) = [text for text in capsys.readouterr().out.splitlines() if '"audit"' in text]
    assert json.loads(line)["audit"] == {
        "actor": "a\ufffdb",
        "tenant": "acme",
        "action": "POST /v1/search",
        "resource": "",
        "outcome": "allowed",
        "request_id": "",
        "source_address": "",
        "code": "",
    }
    assert "_aws" not in json.loads(line)


@pytest.fixture
def gateway() -> Gateway:
    kms, clock = SoftwareKms(), ManualClock()
    kms.create("key-1")
    users, tokens = MemoryUsers({"ada": user("ada")}), MemoryRefreshTokens()
    login = LoginService(
        users=users,
        hasher=CountingHasher(),
        refresh_tokens=tokens,
        signer=KmsTokens(["key-1"], kms, issuer="https://haylift.test", audience="haylift"),  # type: ignore[arg-type]
        clock=clock,
        access_token_ttl_s=900,
        refresh_token_ttl_s=3_600,
    )
    services = Services(
        login=login,
        limit=AddressLimit(limiter=MemoryLimiter(), requests_per_minute=0),
        refresh_limit=AddressLimit(limiter=MemoryLimiter(), requests_per_minute=0),
        logout=LogoutService(
            users=users, refresh_tokens=tokens, revocations=MemoryRevocations(), clock=clock
        ),
        telemetry=RecordedTelemetry(),
    )
    return Gateway(create_app(services))


def test_a_login_is_recorded_under_the_name_that_was_tried(gateway: Gateway, written: Written) -> None:
    for name, password in (("ada", "correct horse"), ("ada", "wrong"), ("mallory", "wrong")):
        gateway.request("POST", "/v1/auth/login", {"username": name, "password": password})

    assert [
        (one["actor"], one["tenant"], one["resource"], one["outcome"], one["code"]) for one in written.records
    ] == [
        ("ada", "acme", "ada", "allowed", ""),
        ("ada", "", "ada", "denied", "invalid_credentials"),
        ("mallory", "", "mallory", "denied", "invalid_credentials"),
    ]


@pytest.mark.parametrize("name", [*HOSTILE[:4], "Tr0ub4dor&3", ""])
def test_what_is_no_users_name_may_be_a_password_and_is_not_kept(
    gateway: Gateway, written: Written, name: str
) -> None:
    gateway.request("POST", "/v1/auth/login", {"username": name, "password": "wrong"})

    (found,) = written.records
    assert (found["actor"], found["resource"], found["outcome"]) == ("anonymous", "", "denied")


def test_a_refresh_is_recorded_under_the_users_name(gateway: Gateway, written: Written) -> None:
    pair = gateway.request("POST", "/login", {"username": "ada", "password": "correct horse"}).json()

    gateway.request("POST", "/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})

    last = written.records[-1]
    assert (last["actor"], last["tenant"], last["action"]) == ("ada", "acme", "POST /v1/auth/refresh")


def test_no_password_and_no_token_is_in_a_record(gateway: Gateway, written: Written) -> None:
    pair = gateway.request("POST", "/login", {"username": "ada", "password": "correct horse"}).json()
    gateway.request("POST", "/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})
    gateway.request("POST", "/v1/auth/refresh", {"refresh_token": "stolen-token"})
    gateway.request("POST", "/v1/auth/login", {"username": "ada", "password": "hunter2-hunter2"})
    gateway.request("POST", "/v1/auth/login", {"username": 5, "password": "hunter2-hunter2"})
    gateway.request("GET", "/v1/documents/hunter2-hunter2")

    kept = json.dumps(written.records)
    assert len(written.records) == 6
    for secret in ("correct horse", "hunter2", "stolen-token", pair["access_token"], pair["refresh_token"]):
        assert secret not in kept
