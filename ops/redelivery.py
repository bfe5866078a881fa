"""`ops audit --redeliver`: deliveries that Lambda gave up on their way to the audit get there after all.

The function keeps a delivery under names of its log lines, so one that had arrived before repeats nothing.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL
from ops.session import Session

DEAD_QUEUE_OUTPUT = "AuditDeadQueueUrl"
FUNCTION, ALIAS = "audit", "live"
HIDDEN_S = 600
"""Ten messages are taken at once, and the function works on each for 30 s at most."""

MOST_DELIVERIES = 1_000
"""In one command; the rest is for the next one."""

WAIT_S = 1
"""A short poll asks only some of SQS's machines and may find nothing in a queue that is not empty."""


@dataclass(frozen=True, kw_only=True)
class Lost:
    """One delivery that was given up.

    Args:
        at: when it was given up, ISO 8601.
        source: log group it came from; empty when the delivery cannot be read.
        lines: log lines in it.
        why: what the function failed with at last.
        payload: the delivery itself; None when the message is no record of Lambda's.
    """

    message_id: str
    at: str
    source: str
    lines: int
    why: str
    payload: Mapping[str, Any] | None


class Undelivered:
    """The dead-letter queue; what was received and not deleted is visible again at the end."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url
        self._receipts: dict[str, str] = {}
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for receipt in self._receipts.values():
            with suppress(self._client.exceptions.MessageNotInflight):  # visible again by itself
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0
                )

    def received(self) -> Iterator[Lost]:
        """Each message once, up to `MOST_DELIVERIES`."""
        while len(self._seen) < MOST_DELIVERIES and (messages := self._new_messages()):
            self._seen.update(message["MessageId"] for message in messages)
            yield from map(lost_delivery, messages)

    def _new_messages(self) -> list[Any]:
        found = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=WAIT_S,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
        return [message for message in found if message["MessageId"] not in self._seen]

    def delete(self, lost: Lost) -> None:
        """It is where it belongs."""
        receipt = self._receipts.pop(lost.message_id)
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def run(session: Session) -> int:
    """Shows what was given up; with `--yes` delivers it again. Exit code 3: something is still there."""
    deployment, delivers = session.deployment(), session.options.yes
    rows: list[dict[str, Any]] = []
    with Undelivered(deployment.client("sqs"), deployment.output(DEAD_QUEUE_OUTPUT)) as queue:
        for lost in queue.received():
            fault = _redelivered(deployment, queue, lost) if delivers else lost.why
            state = "waits" if not delivers else "stays" if fault else "delivered"
            rows.append(_row(lost, state, fault))
    session.terminal.result({"deliveries": rows}, map(_line, rows))
    if not rows:
        session.terminal.remark("Nothing was given up.")
    elif not delivers:
        session.terminal.remark("To deliver them again: python -m ops audit --redeliver --yes")
    return EXIT_OK if all(row["state"] == "delivered" for row in rows) else EXIT_UNWELL


def _redelivered(deployment: Deployment, queue: Undelivered, lost: Lost) -> str:
    """Why the delivery stays; empty when the audit has it now."""
    if lost.payload is None:
        return lost.why
    answer = deployment.client("lambda").invoke(
        FunctionName=f"haylift-{deployment.stage}-{FUNCTION}",
        Qualifier=ALIAS,
        Payload=json.dumps(lost.payload).encode(),
    )
    if answer.get("FunctionError"):
        return str(_object(answer["Payload"].read()).get("errorMessage") or answer["FunctionError"])
    queue.delete(lost)
    audited(deployment, "audit.redeliver", lost.message_id, done=f"{lost.message_id} was delivered")
    return ""


def lost_delivery(message: Mapping[str, Any]) -> Lost:
    """What a message of the queue says; nothing of the log lines is shown."""
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1_000, UTC)
    record = _object(message["Body"])
    payload = record.get("requestPayload")
    source, lines = _contents(payload)
    error = record.get("responsePayload")
    why = str(error.get("errorMessage", "")) if isinstance(error, dict) else ""
    return Lost(
        message_id=message["MessageId"],
        at=sent.isoformat(timespec="seconds").replace("+00:00", "Z"),
        source=source,
        lines=lines,
        why=why if payload else "it is no record of a delivery",
        payload=payload or None,
    )


def _object(text: str | bytes) -> dict[str, Any]:
    """A JSON object, empty when the text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _contents(payload: Any) -> tuple[str, int]:
    """Log group and number of lines of a delivery.

    >>> _contents({"awslogs": {"data": "nothing that anybody packed"}})
    ('', 0)
    """
    try:
        batch = json.loads(gzip.decompress(base64.b64decode(payload["awslogs"]["data"])))
        return str(batch["logGroup"]), len(batch["logEvents"])
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return "", 0


def _row(lost: Lost, state: str, why: str) -> dict[str, Any]:
    return {
        "at": lost.at,
        "state": state,
        "message_id": lost.message_id,
        "source": lost.source,
        "lines": lost.lines,
        "why": why,
    }


def _line(row: Mapping[str, Any]) -> str:
    """One delivery in one line.

    >>> _line({"at": "2026-01-01T00:00:00Z", "state": "stays", "message_id": "m-1", "source": "", "lines": 0,
    ...     "why": "Incorrect padding"})
    '2026-01-01T00:00:00Z stays      m-1  unreadable  Incorrect padding'
    """
    lines = f"{row['lines']} line{'' if row['lines'] == 1 else 's'}"
    what = f"{row['source']} ({lines})" if row["source"] else "unreadable"
    parts = [f"{row['at']} {row['state']:9}", row["message_id"], what, row["why"]]
    return "  ".join(part for part in parts if part)
