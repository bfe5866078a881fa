"""From an order to the end state that the bucket asks for, whatever died on the way before."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    ModelBusy,
    OutOfTurn,
    StoreUnavailable,
)
from haylift.domain.events import IngestionOrder
from haylift.resilience import Deadline
from haylift.services.hand_on import MAX_HANDOVERS
from haylift.services.ingest_attempt import Attempt, IngestParts

logger = logging.getLogger(__name__)

START_RESERVE_S = 30.0
"""A record is not started with less time than this: most files take a few seconds, parsing up to 30."""


def _new_owner() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True)
class IngestService:
    """Works on the orders of the lanes.

    Args:
        parts: the stores, the pipeline and their limits.
        new_owner: names an attempt, each time anew.
    """

    parts: IngestParts
    new_owner: Callable[[], str] = field(default=_new_owner)

    def ingest(self, order: IngestionOrder, deadline: Deadline) -> None:
        """Brings the index to the order's revision; safe to repeat after a death at any point.

        Returns when nothing is left to do, also because the ledger moved on, or because the attempt got
        further than those before it and the ledger asks for the next one (`services/hand_on.py`).

        Raises:
            DependencyUnavailable: the lease is given back and the attempt is not counted.
            DeadlineExceeded: before the work, or after an attempt that got no further than those before
                it, which is counted.
            OutOfTurn: another worker has the document now; deliver again later.
        """
        row = self.parts.ledger.get(order.tenant, order.document_id)
        if row is None or row.revision != order.revision or row.state.is_final:
            logger.info("order is over", extra={"document_id": order.document_id, "revision": order.revision})
            return
        deadline.require(START_RESERVE_S)
        try:
            record = self.parts.ledger.take_lease(
                order.tenant, order.document_id, order.revision, self.new_owner(), self.parts.limits.lease_s
            )
            self._run(record, deadline)
        except OutOfTurn as fault:
            if not fault.superseded:
                raise
            logger.info("order was superseded", extra={"document_id": order.document_id})

    def _run(self, record: DocumentRecord, deadline: Deadline) -> None:
        try:
            self._run_in_time(record, self._attempt(record, deadline))
        except DependencyUnavailable:
            # Not the document's fault: an hour without the model must not use up its attempts. An attempt
            # reads a table before it begins, so that its making stands in here too.
            self._release(replace(record, attempts=record.attempts - 1))
            raise

    def _run_in_time(self, record: DocumentRecord, attempt: Attempt) -> None:
        try:
            attempt.run()
        except (DeadlineExceeded, ModelBusy) as fault:
            # A long document is no broken one, and a busy model no reason to begin anew.
            is_further = attempt.has_advanced()
            uncounted = replace(record, attempts=record.attempts - 1)
            if is_further and record.handovers < MAX_HANDOVERS:
                if self._release(replace(uncounted, handovers=record.handovers + 1)):
                    return
            elif isinstance(fault, DeadlineExceeded):
                self._release(uncounted if is_further else record)
            raise

    def _attempt(self, record: DocumentRecord, deadline: Deadline) -> Attempt:
        return Attempt(self.parts, record, deadline)

    def _release(self, record: DocumentRecord) -> bool:
        """False when the ledger does not answer."""
        try:
            self.parts.ledger.release(record)
        except StoreUnavailable:
            # The lease ends by itself, before the message is visible again.
            logger.warning("lease was not released", extra={"document_id": record.document_id})
            return False
        return True
