"""What drills leave in dead-letter queues, and how it goes."""

from collections.abc import Iterator
from typing import Any

from ops.deployment import queue_output
from ops.drill.ground import Ground
from ops.drill.uploads import FOLDER

MOST_RECEIVES = 100
HIDDEN_S = 10
"""From other readers, while something is done about a message."""


def drop_dead_letters(ground: Ground, queue: str) -> int:
    """Takes the drill's own messages out of a dead-letter queue; others are visible again at once."""
    client, url = ground.client("sqs"), f"{ground.deployment.output(queue_output(queue))}-dead"
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
