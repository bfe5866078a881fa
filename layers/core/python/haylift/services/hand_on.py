"""A document that needs more than one invocation goes on at once, by a fresh order in its lane."""

import logging
from dataclasses import dataclass

from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.events import IngestionOrder
from haylift.ports.ingestion import Lanes

logger = logging.getLogger(__name__)

MAX_HANDOVERS = 100
"""Of one revision: about three hours of work. Beyond, the message that is in the lane comes back by itself,
and ends in the dead-letter queue after the last receive. Each handover had made progress, too: no message
lives for ever."""


def is_handover(before: DocumentRecord | None, after: DocumentRecord) -> bool:
    """Says whether a worker has given the document back, further on than it was, for another to go on."""
    if after.state is not DocumentState.RECEIVED or not after.handovers:
        return False
    return before is None or (before.revision, before.handovers) != (after.revision, after.handovers)


@dataclass(frozen=True, kw_only=True)
class HandOnService:
    """Sends the orders that the ledger's stream asks for.

    The worker itself cannot: it stands in a network without a way to the queues. What it writes into the
    ledger anyway, the lease given back, is the request; so it cannot be made and lost.
    """

    lanes: Lanes

    def hand_on(self, before: DocumentRecord | None, after: DocumentRecord) -> None:
        """Sends a fresh order for a handover; twice is as good as once, since the ledger gives the lease.

        Raises:
            StoreUnavailable: hand on again.
        """
        if not is_handover(before, after):
            return
        self.lanes.send(
            after.lane,
            IngestionOrder(
                tenant=after.tenant,
                document_id=after.document_id,
                key=after.key,
                revision=after.revision,
            ),
        )
        logger.info(
            "document goes on", extra={"document_id": after.document_id, "handovers": after.handovers}
        )
