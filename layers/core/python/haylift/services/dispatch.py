"""From an event to a claim: what happened to an object, and which lane does the work."""

import logging
from dataclasses import dataclass, field

from haylift.domain.documents import DocumentKey, DocumentRecord, Lane, ObjectVersion, next_sequencer
from haylift.domain.errors import DocumentRejected, StoreUnavailable
from haylift.domain.events import IngestionOrder, ObjectEvent, ObjectEventKind
from haylift.domain.metadata import document_of_sidecar, is_sidecar
from haylift.ports.ingestion import Claim, ClaimTerms, Lanes, Ledger, Objects
from haylift.ports.metadata import MetadataReader
from haylift.services.object_metadata import HeaderMetadata
from haylift.telemetry import Metric, Telemetry

logger = logging.getLogger(__name__)

MAX_LOOKS = 5
"""Others may claim between a look and its claim; if they do so more often, the event comes again later."""


@dataclass(frozen=True, kw_only=True)
class DispatchService:
    """Claims events in the ledger and sends one order for each claim.

    Args:
        interactive_open_limit: from this many open documents of the interactive lane on, a tenant's next
            ones take the backfill lane. Those of the backfill lane do not count: a bulk upload must not
            send the single file beside it to its own end.
        interactive_max_bytes: a larger file takes the backfill lane: it may keep a worker for minutes.
        metadata: what uploaders say about their documents.
    """

    ledger: Ledger
    objects: Objects
    lanes: Lanes
    telemetry: Telemetry
    interactive_open_limit: int
    interactive_max_bytes: int
    metadata: MetadataReader = field(default_factory=HeaderMetadata)

    def dispatch(self, event: ObjectEvent) -> None:
        """Claims the event and sends its order; safe to repeat, in any order.

        A known event whose work is not over is sent again: its first delivery may have died between
        the claim and the send.

        Raises:
            StoreUnavailable: deliver the event again.
        """
        if is_sidecar(event.key):
            self._dispatch_sidecar(event)
            return
        for _ in range(MAX_LOOKS):
            claim = self._claim(event, self.ledger.get(event.key.tenant, event.key.document_id))
            if claim.is_new or claim.record.sequencer >= event.sequencer:
                self._send(event, claim)
                return
        raise StoreUnavailable("The document changes faster than it can be looked at.")

    def _dispatch_sidecar(self, event: ObjectEvent) -> None:
        """Claims the document again, with what its sidecar says now; one without a document claims nothing.

        A document that arrives later is claimed by its own event, which finds the sidecar.
        """
        key = document_of_sidecar(event.key)
        for _ in range(MAX_LOOKS):
            row = self.ledger.get(key.tenant, key.document_id) if key else None
            if key is None or self.objects.head(key.object_key) is None:
                self.ignore("sidecar_without_document")
                return
            again = ObjectEvent(
                kind=ObjectEventKind.RECLAIM,
                key=key,
                sequencer=next_sequencer(row.sequencer if row else ""),
                occurred_at=event.occurred_at,
                request_id=event.request_id,
            )
            claim = self._claim(again, row)
            if claim.is_new:
                self._send(again, claim)
                return
        raise StoreUnavailable("The document changes faster than it can be looked at.")

    def _claim(self, event: ObjectEvent, seen: DocumentRecord | None) -> Claim:
        """Looks at object and metadata, and claims unless the row has another revision than the one `seen`.

        So whoever looked at an older sidecar cannot undo what the claim of a newer one said.
        """
        version = self._look(event)
        version_id = version.version_id if version else event.version_id if _is_creation(event) else ""
        groups, expires_at = self._terms(event.key, version)
        return self.ledger.claim(
            event,
            version_id,
            lane=self._lane(event.key, version),
            groups=groups,
            terms=ClaimTerms(
                expires_at=expires_at,
                seen_revision=seen.revision if seen else 0,
                changes_readers=seen is not None and _changes_readers(seen, groups, expires_at),
            ),
        )

    def _terms(self, key: DocumentKey, version: ObjectVersion | None) -> tuple[frozenset[str] | None, int]:
        """Who may read the version, and until when; None: whoever could, where it cannot be read.

        Then it will be rejected, and until then nobody else shall see what is known of the document.
        """
        if version is None:
            return None, 0
        try:
            metadata = self.metadata.read(key, version)
        except DocumentRejected:
            return None, 0
        return metadata.access_groups, metadata.expires_at

    def _send(self, event: ObjectEvent, claim: Claim) -> None:
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
        if key.is_bulk or self.ledger.open_count(key.tenant, Lane.INTERACTIVE, limit) >= limit:
            return Lane.BACKFILL
        return Lane.INTERACTIVE


def _changes_readers(seen: DocumentRecord, groups: frozenset[str] | None, expires_at: int) -> bool:
    """True also where it opens the document: whoever compares wrongly here must err on this side."""
    return groups not in {None, seen.claimed_groups} or expires_at != seen.expires_at


def _is_creation(event: ObjectEvent) -> bool:
    """True for an event that names the version it made."""
    return event.kind is ObjectEventKind.CREATED
