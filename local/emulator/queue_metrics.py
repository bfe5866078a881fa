"""Patch `queue-metrics`: AWS/SQS metrics of every queue, which ministack does not record.

Names and rules from "Available CloudWatch metrics for Amazon SQS": the age is that of the oldest message
that was received at most three times; in a dead-letter queue it counts from the move; what is moved there was
not sent there. CloudWatch has the metrics once a minute, here they come more often.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.services import cloudwatch, sqs

from local.emulator.alarms import in_every_scope
from local.emulator.configuration import CONFIGURATION
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.sqs", ("_queues", "_queues_lock", "_HANDLERS", "_delete_messages_for_esm"))
]
MAX_RECEIVES_OF_AGE = 3
Message = Mapping[str, Any]


class Switch:
    """Whether the metrics are recorded."""

    is_on = False


SWITCH = Switch()


@dataclass
class Seen:
    """What is known of one queue from the measurements so far.

    Args:
        first_at: when each message that is there was seen first, seconds.
        deleted: messages deleted since the last measurement: their ids, and whether they were moved here.
    """

    first_at: dict[str, float] = field(default_factory=dict)
    deleted: dict[str, bool] = field(default_factory=dict)


_SEEN: dict[str, Seen] = {}


def is_moved(message: Message) -> bool:
    """Whether a message has come from a queue that gave it up."""
    return "DeadLetterQueueSourceArn" in (message.get("sys") or {})


def metrics_of(messages: Sequence[Message], now: float, seen: Seen) -> dict[str, float]:
    """The metrics of one queue's messages at `now` (seconds); updates what is known of the queue."""
    waiting = [m for m in messages if m.get("visible_at", 0) <= now]
    held = [m for m in messages if m.get("visible_at", 0) > now]
    in_flight = [m for m in held if m.get("receive_count", 0) > 0]
    deleted, seen.deleted = seen.deleted, {}
    came = {m["id"]: is_moved(m) for m in messages if m["id"] not in seen.first_at}
    came |= {name: moved for name, moved in deleted.items() if name not in seen.first_at}
    seen.first_at = {m["id"]: seen.first_at.get(m["id"], now) for m in messages}
    since = [_counted_since(m, seen) for m in messages]
    age_s = max((now - at for at in since if at is not None), default=0.0)
    return {
        "ApproximateNumberOfMessagesVisible": len(waiting),
        "ApproximateNumberOfMessagesNotVisible": len(in_flight),
        "ApproximateNumberOfMessagesDelayed": len(held) - len(in_flight),
        "ApproximateAgeOfOldestMessage": age_s * CONFIGURATION.pace,
        "NumberOfMessagesSent": sum(not moved for moved in came.values()),
        "NumberOfMessagesDeleted": len(deleted),
    }


def _counted_since(message: Message, seen: Seen) -> float | None:
    """From when the age of a message counts, seconds; None when it does not count any more."""
    if is_moved(message):
        return seen.first_at[message["id"]]
    if message.get("receive_count", 0) > MAX_RECEIVES_OF_AGE:
        return None
    sent_at: float | None = message.get("sent_at")
    return sent_at


def record_queues() -> None:
    """Store the metrics of all queues of the current account and region."""
    for url, queue in list(sqs._queues.items()):
        with sqs._queues_lock:
            messages = [message for message in queue["messages"] if "id" in message]
            found = metrics_of(messages, time.time(), _SEEN.setdefault(url, Seen()))
        dimensions = {"QueueName": url.rsplit("/", 1)[-1]}
        for name, value in found.items():
            unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
            cloudwatch.record_metric("AWS/SQS", name, value, unit, dimensions)


def start_recorder(is_wanted: Callable[[], bool]) -> None:
    """Record all queues again and again in a thread of its own, while `is_wanted`."""

    def tick() -> None:
        pause = threading.Event()
        while not pause.wait(CONFIGURATION.queue_metrics_period_s):
            if is_wanted():
                in_every_scope(sqs._queues, record_queues)

    threading.Thread(target=tick, name="queue-metrics", daemon=True).start()


def note_deleted(url: str, handles: set[str]) -> None:
    """Remember the messages that are about to be deleted by their receipt handles."""
    queue = sqs._queues.get(url)
    for message in list(queue["messages"]) if queue else []:
        if message.get("receipt_handle") in handles and "id" in message:
            _SEEN.setdefault(url, Seen()).deleted[message["id"]] = is_moved(message)


def _noted(handler: Callable[..., Any]) -> Callable[..., Any]:
    """DeleteMessage or DeleteMessageBatch, which also notes what is deleted."""

    def delete(request: dict[str, Any], url: str) -> Any:
        handles = {str(each.get("ReceiptHandle", "")) for each in [request, *(request.get("Entries") or [])]}
        wanted = str(request.get("QueueUrl") or url)
        note_deleted(sqs._queue_url(wanted.rsplit("/", 1)[-1]), handles - {""})
        return handler(request, url)

    return delete


def patch() -> Patch:
    """Record the metrics; the thread is started with the emulator."""
    delete_for_mapping = sqs._delete_messages_for_esm

    def delete(url: str, handles: set[str]) -> None:
        note_deleted(url, handles)
        delete_for_mapping(url, handles)

    deletions = ("DeleteMessage", "DeleteMessageBatch")
    return Patch(
        "queue-metrics",
        "ministack records no SQS metrics",
        [
            Replacement(SWITCH, "is_on", True),
            Replacement(sqs, "_delete_messages_for_esm", delete),
            *(Replacement(sqs._HANDLERS, name, _noted(sqs._HANDLERS[name])) for name in deletions),
        ],
    )
