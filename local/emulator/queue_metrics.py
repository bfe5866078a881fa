"""Patch `queue-metrics`: AWS/SQS metrics of every queue, which ministack does not record.

Names from "Available CloudWatch metrics for Amazon SQS". CloudWatch has them once a minute, here they come
more often.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, sqs

from local.emulator.alarms import in_every_scope
from local.emulator.configuration import CONFIGURATION
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [Needs("ministack.services.sqs", ("_queues", "_queues_lock"))]


class Switch:
    """Whether the metrics are recorded."""

    is_on = False


SWITCH = Switch()


def metrics_of(messages: list[dict[str, Any]], now: float) -> dict[str, float]:
    """The metrics of one queue's messages at `now` (seconds)."""
    waiting = [m for m in messages if m.get("visible_at", 0) <= now]
    held = [m for m in messages if m.get("visible_at", 0) > now]
    in_flight = [m for m in held if m.get("receive_count", 0) > 0]
    age_s = max((now - m["sent_at"] for m in messages if "sent_at" in m), default=0.0) * CONFIGURATION.pace
    return {
        "ApproximateNumberOfMessagesVisible": len(waiting),
        "ApproximateNumberOfMessagesNotVisible": len(in_flight),
        "ApproximateNumberOfMessagesDelayed": len(held) - len(in_flight),
        "ApproximateAgeOfOldestMessage": age_s,
    }


def record_queues() -> None:
    """Store the metrics of all queues of the current account and region."""
    for url, queue in list(sqs._queues.items()):
        with sqs._queues_lock:
            messages = list(queue["messages"])
        dimensions = {"QueueName": url.rsplit("/", 1)[-1]}
        for name, value in metrics_of(messages, time.time()).items():
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


def patch() -> Patch:
    """Record the metrics; the thread is started with the emulator."""
    return Patch("queue-metrics", "ministack records no SQS metrics", [Replacement(SWITCH, "is_on", True)])
