"""Dead-letter queues of ingestion: what lies there, why, and how it gets back to work."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import batched
from typing import Any, Self

from haylift.adapters.s3_events import read_object_event
from haylift.adapters.sqs_lanes import read_order
from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import InvalidInput

from ops.deployment import INTAKES, Deployment, queue_output
from ops.faults import OpsFault

HIDDEN_S = 900
"""From other readers while a command works; at its end what is left is visible at once."""

MOST_LETTERS = 100_000
"""SQS has at most 120,000 messages of a queue in flight."""

BATCH = 10
"""SQS's limit for one request."""

SHORT_POLLS = 3
"""A poll asks only some of SQS's machines: so many empty ones in a row mean that the queue is empty."""


class Cause(StrEnum):
    """Why a message lies there, read from it and from the ledger.

    `WORKER_DIED`: the document's workers died with it, or ran out of time. `GIVEN_BACK`: no worker came to
    it, or each gave it back because something that it needs did not answer. `NOT_CLAIMED`: dispatch never
    wrote its event into the ledger. `OVER`: the ledger has moved on, or the work is done; nothing is lost.
    `UNREADABLE`: no message of ours.
    """

    WORKER_DIED = "worker_died"
    GIVEN_BACK = "given_back"
    NOT_CLAIMED = "not_claimed"
    OVER = "over"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One dead letter. `sent_s`: epoch seconds; `detail` says where the document stands."""

    queue: str
    message_id: str
    receipt: str
    body: str
    sent_s: float
    cause: Cause
    tenant: str = ""
    document_id: str = ""
    key: str = ""
    revision: int = 0
    detail: str = ""


type RowOf = Callable[[str, str], DocumentRecord | None]


def judged(queue: str, message: Mapping[str, Any], row_of: RowOf, bucket: str) -> Letter:
    """A message of a dead-letter queue with its cause."""
    told: dict[str, Any] = {
        "queue": queue,
        "message_id": message["MessageId"],
        "receipt": message["ReceiptHandle"],
        "body": message["Body"],
        "sent_s": int(message["Attributes"]["SentTimestamp"]) / 1_000,
    }
    try:
        found = _event(told["body"], row_of, bucket) if queue in INTAKES else _order(told["body"], row_of)
    except InvalidInput as fault:
        return Letter(**told, cause=Cause.UNREADABLE, detail=fault.code)
    return Letter(**told, **found)


def _order(body: str, row_of: RowOf) -> dict[str, Any]:
    order = read_order(body)
    row = row_of(order.tenant, order.document_id)
    return {
        "tenant": order.tenant,
        "document_id": order.document_id,
        "key": order.key,
        "revision": order.revision,
        **_standing(row, order.revision),
    }


def _standing(row: DocumentRecord | None, revision: int) -> dict[str, Any]:
    if row is None:
        return {"cause": Cause.OVER, "detail": "the ledger does not know it"}
    if row.revision != revision:
        return {"cause": Cause.OVER, "detail": f"superseded by revision {row.revision}"}
    if row.state.is_final:
        return {"cause": Cause.OVER, "detail": row.state.value}
    cause = Cause.WORKER_DIED if row.attempts > 0 else Cause.GIVEN_BACK
    stage = f", stage {row.stage} {row.percent} %" if row.stage else ""
    return {"cause": cause, "detail": f"{row.state.value}, {row.attempts} attempts{stage}"}


def _event(body: str, row_of: RowOf, bucket: str) -> dict[str, Any]:
    event = read_object_event(body, bucket)
    row = row_of(event.key.tenant, event.key.document_id)
    is_over = row is not None and row.sequencer >= event.sequencer and row.state.is_final
    return {
        "tenant": event.key.tenant,
        "document_id": event.key.document_id,
        "key": event.key.object_key,
        "cause": Cause.OVER if is_over else Cause.NOT_CLAIMED,
        "detail": "" if row is None else f"revision {row.revision} is {row.state.value}",
    }


class DeadLetters:
    """One dead-letter queue; what was received and neither moved nor discarded is visible again at the end.

    Args:
        name: `intake`, `interactive` or `backfill`.
    """

    def __init__(self, deployment: Deployment, name: str, row_of: RowOf) -> None:
        self._client = deployment.client("sqs")
        self._name = name
        self._url = deployment.output(queue_output(name))
        self._bucket = deployment.output("UploadBucketName")
        self._row_of = row_of
        self._held: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for part in batched(self._held.values(), BATCH, strict=False):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(part)
            ]
            # What cannot be shown again by hand becomes visible by itself.
            self._client.change_message_visibility_batch(QueueUrl=f"{self._url}-dead", Entries=entries)

    def letters(self, most: int = MOST_LETTERS) -> Iterator[Letter]:
        """Each message once, up to `most`."""
        seen: set[str] = set()
        empty = 0
        while len(seen) < most and empty < SHORT_POLLS:
            found = self._received()
            new = [message for message in found if message["MessageId"] not in seen]
            empty = 0 if new else empty + 1
            for message in new[: most - len(seen)]:
                seen.add(message["MessageId"])
                yield judged(self._name, message, self._row_of, self._bucket)

    def _received(self) -> list[Any]:
        found = self._client.receive_message(
            QueueUrl=f"{self._url}-dead",
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_S,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
        return list(found)

    def move_back(self, letters: Sequence[Letter]) -> int:
        """Sends up to 10 letters to the queue that gave them up, then takes them out; gives how many.

        A death in between leaves both: the ledger makes one effect of them.
        """
        entries = [{"Id": str(number), **_message(letter)} for number, letter in enumerate(letters)]
        answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        sent = [letters[int(one["Id"])] for one in answer.get("Successful", [])]
        return self.remove(sent)

    def remove(self, letters: Sequence[Letter]) -> int:
        """Takes up to 10 letters out of the dead-letter queue; gives how many.

        Raises:
            OpsFault: `letter_not_removed`; it is still there, and doing it again does no harm.
        """
        if not letters:
            return 0
        entries = [
            {"Id": str(number), "ReceiptHandle": self._held[letter.message_id]}
            for number, letter in enumerate(letters)
        ]
        answer = self._client.delete_message_batch(QueueUrl=f"{self._url}-dead", Entries=entries)
        if answer.get("Failed"):
            raise OpsFault("letter_not_removed", f"SQS kept {len(answer['Failed'])} letters; run it again.")
        for letter in letters:
            del self._held[letter.message_id]
        return len(letters)


def _message(letter: Letter) -> dict[str, str]:
    """As dispatch sent it: the message group is the tenant, so that SQS serves tenants fairly."""
    group = {"MessageGroupId": letter.tenant} if letter.queue not in INTAKES and letter.tenant else {}
    return {"MessageBody": letter.body, **group}


def shown(letter: Letter) -> dict[str, Any]:
    """A letter as people read it; of one that is not ours its first characters, printable."""
    told = {
        "queue": f"{letter.queue}-dead",
        "message_id": letter.message_id,
        "cause": letter.cause.value,
        "tenant": letter.tenant,
        "document_id": letter.document_id,
        "key": letter.key,
        "revision": letter.revision,
        "detail": letter.detail,
    }
    return told | ({"body": json.dumps(letter.body[:200])} if letter.cause is Cause.UNREADABLE else {})
