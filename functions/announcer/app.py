"""Announces the changes of one batch of the ledger's stream."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import StoreUnavailable
from haylift.services.announce import AnnounceService
from haylift.services.hand_on import HandOnService

logger = logging.getLogger("haylift.announcer")

type Read = Callable[[Mapping[str, Any]], DocumentRecord]


def consume(
    event: Mapping[str, Any], service: AnnounceService, read: Read, *, hand_on: HandOnService
) -> None:
    """Announces each change of state, in the stream's order, and sends the orders of documents that go on.

    A row that went (a tombstone whose time was over) says nothing.

    Raises:
        StoreUnavailable: after the whole batch was tried; the stream brings it again, which is safe.
    """
    fault: StoreUnavailable | None = None
    for record in event.get("Records", ()):
        images = record["dynamodb"]
        if "NewImage" not in images:
            continue
        before = read(images["OldImage"]) if images.get("OldImage") else None
        after = read(images["NewImage"])
        try:
            hand_on.hand_on(before, after)
            service.announce(before, after)
        except StoreUnavailable as met:
            logger.warning("change was not announced", extra={"document_id": after.document_id})
            fault = met
    if fault:
        raise fault
