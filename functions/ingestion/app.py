"""Works on the orders of one batch."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from haylift.domain.errors import DeadlineExceeded, InvalidInput, ModelUnavailable
from haylift.domain.events import IngestionOrder
from haylift.resilience import Deadline
from haylift.services.batches import PartialBatch, deliver
from haylift.services.ingest import IngestService

logger = logging.getLogger("haylift.ingestion")

ANSWER_RESERVE_S = 5.0
"""Kept back from the function's own time-out, to release leases and to answer."""


def consume(
    event: Mapping[str, Any],
    service: IngestService,
    read: Callable[[str], IngestionOrder],
    *,
    remaining_s: float,
) -> PartialBatch:
    """Brings the index to each order's revision.

    Without the model endpoint, or without time, the rest of the batch goes back at once.
    """
    deadline = Deadline.after(remaining_s - ANSWER_RESERVE_S)

    def work(body: str) -> None:
        try:
            order = read(body)
        except InvalidInput as fault:
            logger.warning("message ignored", extra={"code": fault.code})
        else:
            service.ingest(order, deadline)

    return deliver(event.get("Records", ()), work, stop_on=(ModelUnavailable, DeadlineExceeded))
