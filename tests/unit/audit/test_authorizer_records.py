"""The authorizer's refusals leave one record each, with the reason; an admitted request is the function's."""

from typing import Any

import pytest
from haylift.services.authorize import AuthorizeService

from functions.authorizer.app import Unauthorized, consume
from tests.fakes.audit import Written
from tests.fakes.identity import (
    ManualClock,
    MemoryCallers,
    MemoryRevocations,
    MemorySigner,
    MemoryUsers,
    user,
)

CLAIMS = {
    "sub": "ada",
    "tenant": "acme",
    "role": "editor",
    "permissions": ["read"],
    "groups": ["staff"],
    "stamp": "stamp-1",
    "typ": "access",
    "iat": 1_800_000_000,
    "exp": 1_800_000_900,
    "jti": "token-1",
}


@pytest.fixture
def service() -> AuthorizeService:
    users = MemoryUsers({"ada": user("ada")})
    revoked = MemoryRevocations({"token-out": 0.0})
    signer = MemorySigner("https://haylift.test", "haylift", ManualClock())
    return AuthorizeService(signer=signer, callers=MemoryCallers(users, revoked))


def event(authorization: str | None, path: str = "/v1/documents/{document_id}") -> dict[str, Any]:
    headers = {} if authorization is None else {"Authorization": authorization}
    return {
        "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/api/DELETE/v1/documents/d-1",
        "resource": path,
        "path": "/v1/documents/d-1",
        "httpMethod": "GET" if path == "/health" else "DELETE",
        "headers": headers,
        "requestContext": {"requestId": "request-1", "identity": {"sourceIp": "203.0.113.7"}},
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jti": "token-out"}, "token_revoked"),
        ({"stamp": "stamp-0"}, "user_changed"),
        ({"sub": "nobody"}, "user_changed"),
        ({"typ": "refresh"}, "token_invalid"),
        ({"iat": 1_799_000_000, "exp": 1_799_000_900}, "token_invalid"),
        (None, "no_token"),
    ],
)
def test_a_refusal_is_recorded_with_its_reason(
    service: AuthorizeService, written: Written, changes: dict[str, Any] | None, code: str
) -> None:
    token = "Basic YTpi" if changes is None else f"Bearer {service.signer.sign({**CLAIMS, **changes})}"

    with pytest.raises(Unauthorized):
        consume(event(token), service)

    assert written.records == [
        {
            "actor": "anonymous",
            "tenant": "",
            "action": "DELETE /v1/documents/{document_id}",
            "resource": "",
            "outcome": "denied",
            "request_id": "request-1",
            "source_address": "203.0.113.7",
            "code": code,
        }
    ]


def test_who_is_admitted_is_recorded_by_the_function(service: AuthorizeService, written: Written) -> None:
    consume(event(f"Bearer {service.signer.sign(CLAIMS)}"), service)

    assert written.records == []


@pytest.mark.parametrize("authorization", [None, "Bearer x.y.z"])
def test_a_probe_decides_about_nobody(
    service: AuthorizeService, written: Written, authorization: str | None
) -> None:
    consume(event(authorization, "/health"), service)

    assert written.records == []
