"""Who did what to which resource, and with what outcome: one record for each decision.

A function writes its record into its own log, the one thing that always works where it runs; a subscription
carries every such line to the audit function, which keeps it. So a record costs a request no call, and is
delivered at least once. No document text, no token, no password: only what `AuditRecord` names.
"""

import logging
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

FIELD = "audit"
"""The key under which a log line holds a record; subscriptions select by it."""

SYSTEM = "system"
"""The actor of what no caller asked for, such as the verdict about an uploaded file."""

ANONYMOUS = "anonymous"
"""The actor of a request whose caller is not known."""

MAX_FIELD_CHARS = 256
"""Bounds what a caller can make a record hold; ids, names and paths are shorter."""

logger = logging.getLogger("haylift.audit")


class Outcome(StrEnum):
    """How a decision ended.

    `DENIED`: not authenticated, not allowed, or over a limit. `REFUSED`: the request itself was wrong, or its
    object is not there. `FAILED`: the fault is ours.
    """

    ALLOWED = "allowed"
    DENIED = "denied"
    REFUSED = "refused"
    FAILED = "failed"


def outcome_of(status: int) -> Outcome:
    """The outcome that an HTTP status stands for.

    >>> outcome_of(200), outcome_of(403), outcome_of(404), outcome_of(503)
    (<Outcome.ALLOWED: 'allowed'>, <Outcome.DENIED: 'denied'>, <Outcome.REFUSED: 'refused'>, \
<Outcome.FAILED: 'failed'>)
    """
    if status >= 500:
        return Outcome.FAILED
    if status in {401, 403, 429}:
        return Outcome.DENIED
    return Outcome.REFUSED if status >= 400 else Outcome.ALLOWED


def printable(text: str) -> str:
    """At most 256 characters, all of them printable: nothing breaks a line or colours a terminal.

    >>> printable("a\\nb\\x1b[31m")
    'a\ufffdb\ufffd[31m'
    """
    bounded = text[:MAX_FIELD_CHARS]
    return "".join(character if character.isprintable() else "\ufffd" for character in bounded)


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One decision; its texts are made printable, wherever they came from.

    Args:
        actor: user name, `system`, `anonymous`, or the AWS identity of an operator.
        tenant: whose resource it is; empty where there is none.
        action: `<method> <path of the route>` of a request, else a dotted name such as `document.indexed`.
        resource: id of the document, name of the user or flag; empty where the action says it all.
        request_id: leads to the request's log lines.
        source_address: of the caller, as the gateway saw it.
        code: why it was not allowed: the stable code of the problem.
    """

    actor: str
    tenant: str
    action: str
    resource: str
    outcome: Outcome
    request_id: str = ""
    source_address: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "outcome":
                object.__setattr__(self, field.name, printable(getattr(self, field.name)))


def record(entry: AuditRecord) -> None:
    """Writes one record."""
    logger.info("audit", extra={FIELD: asdict(entry)})
