"""What drills leave in dead-letter queues, and how it goes."""

import json
import time
from collections.abc import Iterator
from typing import Any

from ops.drill.ground import Ground
from ops.drill.uploads import FOLDER

MOST_RECEIVES = 100
HIDDEN_S = 10
"""From other readers, while something is done about a message."""

LATE_S = 4.0
DELIVERY_LIMIT_S = 60.0


def drop_dead_letters(ground: Ground, queue: str) -> int:
    """Takes the drill's own messages out of a dead-letter queue; others are visible again at once."""
    client, url = ground.client("sqs"), f"{ground.deployment.output(f'{queue.title()}QueueUrl')}-dead"
    dropped = 0
    kept: list[str] = []
    for message in _received(client, url):
        if FOLDER in message["Body"]:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            dropped += 1
        else:
            kept.append(message["ReceiptHandle"])
    for handle in kept:
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    return dropped


def _received(client: Any, url: str) -> Iterator[Any]:
    for _ in range(MOST_RECEIVES):
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_S)
        if not (messages := found.get("Messages", [])):
            return
        yield from messages


def deliver_again(ground: Ground, function: str) -> int:
    """Gives a function the events that it failed on, also those that are given up only now.

    What it takes leaves the queue. Gives how many it took.
    """
    taken, ends_at, is_empty = 0, time.monotonic() + DELIVERY_LIMIT_S, False
    while time.monotonic() < ends_at:
        delivered = _delivered(ground, function)
        taken += delivered
        if is_empty and not delivered:
            break
        is_empty = not delivered
        ground.pause(LATE_S)
    return taken


def _delivered(ground: Ground, function: str) -> int:
    sqs, url = ground.client("sqs"), ground.deployment.output(f"{function.title()}DeadQueueUrl")
    taken = 0
    for message in _received(sqs, url):
        payload = json.dumps(json.loads(message["Body"])["requestPayload"]).encode()
        answer = ground.client("lambda").invoke(
            FunctionName=ground.prefix + function, Qualifier="live", Payload=payload
        )
        if "FunctionError" not in answer:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken += 1
    return taken
