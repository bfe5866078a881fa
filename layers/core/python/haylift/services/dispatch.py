"""From an event to a claim: what happened to an object, and which lane does the work."""

import logging
from dataclasses import dataclass

from haylift.domain.documents import DocumentKey, Lane
from haylift.domain.events import IngestionOrder, ObjectEvent, ObjectEventKind
from haylift.ports.ingestion import Lanes, Ledger, Objects
from haylift.telemetry import Metric, Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DispatchService:
    """Claims events in the ledger and sends one order for each claim.

    Args:
        interactive_open_limit: from this many open documents on, a tenant's next ones take the
            backfill lane, so that a bulk upload never stands before a single one.
    """

    ledger: Ledger
    objects: Objects
    lanes: Lanes
    telemetry: Telemetry
    interactive_open_limit: int

    def dispatch(self, event: ObjectEvent) -> None:
        """Claims the event and sends its order; safe to repeat, in any order.

        A known event whose work is not over is sent again: its first delivery may have died between
        the claim and the send.

        Raises:
            StoreUnavailable: deliver the event again.
        """
        claim = self.ledger.claim(event, self._version_id(event), self._lane(event.key))
        record = claim.record
        outcome = "claimed" if claim.is_new else "known" if record.sequencer == event.sequencer else "late"
        if outcome != "late" and not record.state.is_final:
            self.lanes.send(
                record.lane,
                IngestionOrder(
                    tenant=record.tenant,
                    document_id=record.document_id,
                    key=record.key,
                    revision=record.revision,
                ),
            )
        self.telemetry.record(Metric.EVENTS_CLAIMED, 1, outcome=outcome)
        logger.info("event seen", extra={"document_id": record.document_id, "outcome": outcome})

    def ignore(self, code: str) -> None:
        """Counts an event that is none of ours; it is not delivered again."""
        self.telemetry.record(Metric.EVENTS_CLAIMED, 1, outcome="ignored")
        logger.warning("event ignored", extra={"code": code})

    def _version_id(self, event: ObjectEvent) -> str:
        """The version to index; empty when the object is gone."""
        if event.kind is ObjectEventKind.CREATED:
            return event.version_id
        if event.kind is ObjectEventKind.DELETE_MARKER:
            return ""
        current = self.objects.head(event.key.object_key)
        return current.version_id if current else ""

    def _lane(self, key: DocumentKey) -> Lane:
        limit = self.interactive_open_limit
        if key.is_bulk or self.ledger.open_count(key.tenant, limit) >= limit:
            return Lane.BACKFILL
        return Lane.INTERACTIVE
