"""Log lines as audit records: those that functions wrote, and what the gateway refused by itself."""

import json
from collections.abc import Mapping

from haylift.audit import ANONYMOUS, FIELD, AuditRecord, Outcome, outcome_of
from haylift.gateway_codes import code_of_gateway

NOTHING = "-"
"""What API Gateway writes into its access log where it has no value."""

UNAUTHORIZED = "UNAUTHORIZED"


class NotARecord(ValueError):
    """The line holds no audit record; a retry does not help."""


def record_of(line: str) -> AuditRecord | None:
    """The record that a line stands for; None when somebody else has written it.

    Raises:
        NotARecord: for every other text.
    """
    try:
        fields = json.loads(line)
    except ValueError as fault:
        raise NotARecord("no JSON") from fault
    if not isinstance(fields, dict):
        raise NotARecord("no object")
    if FIELD in fields:
        return _of_function(fields[FIELD])
    if _text(fields, "errorType"):
        return _of_gateway(fields)
    raise NotARecord("no record in it")


def _of_function(fields: object) -> AuditRecord:
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise NotARecord("a record has texts only")
    try:
        return AuditRecord(**{**fields, "outcome": Outcome(fields["outcome"])})
    except (KeyError, TypeError, ValueError) as fault:
        raise NotARecord("a record has other fields") from fault


def _of_gateway(fields: Mapping[str, object]) -> AuditRecord | None:
    """The gateway's own refusal. A 401 after a call of the authorizer has the authorizer's record."""
    error = _text(fields, "errorType")
    if error == UNAUTHORIZED and _text(fields, "authorizerLatency"):
        return None
    status = _text(fields, "status")
    if not (status.isascii() and status.isdigit()):
        raise NotARecord("no status")
    return AuditRecord(
        actor=_text(fields, "principal") or ANONYMOUS,
        tenant=_text(fields, "tenant"),
        action=f"{_text(fields, 'httpMethod') or NOTHING} {_text(fields, 'resourcePath') or 'unmatched'}",
        resource="",
        outcome=outcome_of(int(status)),
        request_id=_text(fields, "requestId"),
        source_address=_text(fields, "ip"),
        code=code_of_gateway(error, int(status)),
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    """The field's text, empty where API Gateway had no value."""
    value = fields.get(name)
    text = str(value) if isinstance(value, str | int) else ""
    return "" if text == NOTHING else text
