"""One audit record for each request that reached a function."""

import json
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from fastapi import Request

from haylift import audit
from haylift.audit import ANONYMOUS, AuditRecord, outcome_of
from haylift.headers import PROBLEM_TYPE
from haylift.http.caller import gateway_context
from haylift.http.endpoint import endpoint_of

UNRECORDED = {
    "/health": "a probe, every few seconds, that decides nothing about anybody's data",
    "/ready": "a probe, every few seconds, that decides nothing about anybody's data",
    "/metrics": "a scrape, every minute, of numbers without tenants",
    "/.well-known/jwks.json": "public keys, the same for everybody",
    "/docs": "the public reference",
    "/docs/{asset}": "the public reference",
    "/openapi.json": "the public reference",
}
"""Paths of routes whose answers leave no record, and why; whatever is not listed leaves one."""

PREFLIGHT = "OPTIONS"
"""A browser's question whether it may ask; the request itself follows and is recorded."""

RESOURCE_PARAMETER = "document_id"
_STATE_KEY = "audit"


def note_decision(request: Request, **known: str) -> None:
    """Says what only the handler knows: `actor`, `tenant`, `action` or `resource`; never a secret.

    The caller that the authorizer verified stays the actor, whatever is said here.
    """
    request.scope.setdefault("state", {}).setdefault(_STATE_KEY, {}).update(known)


def record_request(scope: MutableMapping[str, Any], status: int, code: str) -> None:
    """Writes the record of an answered request.

    Args:
        code: of the problem, empty for a good answer.
    """
    path = endpoint_of(scope)
    if scope["method"] == PREFLIGHT or path in UNRECORDED:
        return
    context = gateway_context(scope)
    caller: Mapping[str, Any] = context.get("authorizer") or {}
    noted: Mapping[str, str] = scope.get("state", {}).get(_STATE_KEY, {})
    audit.record(
        AuditRecord(
            actor=str(caller.get("sub") or noted.get("actor") or ANONYMOUS),
            tenant=str(caller.get("tenant") or noted.get("tenant") or ""),
            action=noted.get("action") or f"{scope['method']} {path}",
            resource=str(noted.get("resource") or scope.get("path_params", {}).get(RESOURCE_PARAMETER) or ""),
            outcome=outcome_of(status),
            request_id=str(scope.get("state", {}).get("request_id", "")),
            source_address=str((context.get("identity") or {}).get("sourceIp") or ""),
            code=code,
        )
    )


def problem_code(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> str:
    """The stable code of an answer that is a problem document, else an empty text.

    >>> problem_code([(b"content-type", b"application/problem+json")], b'{"code": "not_found"}')
    'not_found'
    """
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    if not kind.startswith(PROBLEM_TYPE.encode()):
        return ""
    return str(json.loads(body).get("code", ""))
