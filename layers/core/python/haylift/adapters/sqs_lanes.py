"""The lanes as SQS queues, and their messages."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from haylift.adapters.aws import translated
from haylift.domain.documents import DocumentKey, Lane
from haylift.domain.errors import InvalidInput
from haylift.domain.events import IngestionOrder


class SqsLanes:
    """Sends orders; the message group is the tenant, so that SQS serves tenants fairly.

    Args:
        queue_urls: the queue's address by lane.
        client: an `sqs` client.
    """

    def __init__(self, queue_urls: Mapping[Lane, str], client: Any) -> None:
        self._queue_urls = queue_urls
        self._client = client

    def send(self, lane: Lane, order: IngestionOrder) -> None:
        """Puts the order into the lane; raises `StoreUnavailable`."""
        with translated("lane queue"):
            self._client.send_message(
                QueueUrl=self._queue_urls[lane],
                MessageBody=json.dumps(asdict(order)),
                MessageGroupId=order.tenant,
            )


def read_order(body: str) -> IngestionOrder:
    """The order of a lane's message.

    Raises:
        InvalidInput: `invalid_order`; a retry does not help.
    """
    try:
        order = IngestionOrder(**json.loads(body))
        key = DocumentKey.parse(order.key)
        if (key.tenant, key.document_id) != (order.tenant, order.document_id):
            raise ValueError("the id is not the key's")
        if type(order.revision) is not int or order.revision < 1:
            raise ValueError("revisions count from 1")
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidInput):
        raise InvalidInput("This is no order of a lane.", code="invalid_order") from None
    return order
