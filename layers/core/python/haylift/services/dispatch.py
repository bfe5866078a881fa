"""From an event to a claim: what happened to an object, and which lane does the work."""

import logging
from dataclasses import dataclass

from haylift.domain.documents import DocumentKey, Lane, ObjectVersion
from haylift.domain.errors import DocumentRejected
from haylift.domain.events import IngestionOrder, ObjectEvent, ObjectEventKind
from haylift.domain.metadata import DocumentMetadata
from haylift.ports.ingestion import Lanes, Ledger, Objects
from haylift.telemetry import Metric, Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DispatchService:
    """Claims events in the ledger and sends one order for each claim.

    Args:
        interactive_open_limit: from this many open documents on, a tenant's next ones take the
            backfill lane, so that a bulk upload never stands before a single one.
        interactive_max_bytes: a larger file takes the backfill lane: it may keep a worker for minutes.
    """

    ledger: Ledger
    objects: Objects
    lanes: Lanes
    telemetry: Telemetry
    interactive_open_limit: int
    interactive_max_bytes: int

    def dispatch(self, event: ObjectEvent) -> None:
        """Claims the event and sends its order; safe to repeat, in any order.

        A known event whose work is not over is sent again: its first delivery may have died between
        the claim and the send.

        Raises:
            StoreUnavailable: deliver the event again.
        """
        version = self._look(event)
        version_id = version.version_id if version else event.version_id if _is_creation(event) else ""
        claim = self.ledger.claim(
            event,
            version_id,
            lane=self._lane(event.key, version),
            groups=_groups(version) if version else None,
        )
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

    def _look(self, event: ObjectEvent) -> ObjectVersion | None:
        """The version that the event is about, or the current one when it names none; None: gone."""
        if event.kind is ObjectEventKind.DELETE_MARKER:
            return None
        return self.objects.head(event.key.object_key, event.version_id if _is_creation(event) else None)

    def _lane(self, key: DocumentKey, version: ObjectVersion | None) -> Lane:
        if version and version.size_bytes > self.interactive_max_bytes:
            return Lane.BACKFILL
        limit = self.interactive_open_limit
        if key.is_bulk or self.ledger.open_count(key.tenant, limit) >= limit:
            return Lane.BACKFILL
        return Lane.INTERACTIVE


def _is_creation(event: ObjectEvent) -> bool:
    """True for an event that names the version it made."""
    return event.kind is ObjectEventKind.CREATED


def _groups(version: ObjectVersion) -> frozenset[str]:
    """Who may read the version; everybody where the groups cannot be read, since it will be rejected."""
    try:
        return DocumentMetadata.of_object(version.metadata).access_groups
    except DocumentRejected:
        return frozenset()
