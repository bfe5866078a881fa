"""One worker's attempt at one revision of one document, under its lease."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Epoch, ObjectVersion
from haylift.domain.errors import (
    CacheUnavailable,
    DocumentRejected,
    IndexUnavailable,
    OutOfTurn,
    StoreUnavailable,
)
from haylift.domain.metadata import DocumentMetadata
from haylift.domain.quarantine import QuarantineKeys
from haylift.ports.ingestion import IndexingTask
from haylift.resilience import Deadline
from haylift.services.ingest_parts import IngestLimits, IngestParts
from haylift.services.quarantine import reason_of
from haylift.services.verdicts import record_verdict
from haylift.telemetry import Metric

logger = logging.getLogger(__name__)

__all__ = ["Attempt", "IngestLimits", "IngestParts"]

MAX_ATTEMPTS = 3
"""Attempts that may die with a document before it is rejected without another one."""

MAX_VERSIONS = 5
"""Versions that may vanish under one attempt before it is tried later."""

STAGE_DOWNLOAD = "download"
STAGE_DRAFT = "draft"
STAGE_ACTIVATE = "activate"
STAGE_QUARANTINE = "quarantine"


class Attempt:
    """Indexes, rejects or removes the document, in an order that any crash leaves repairable.

    Replacement: write the new revision's chunks (nobody sees them), refresh, make them live in one
    transaction, tell the caches, only then remove the old ones. Removal: hide first, then remove.
    Chunks of newer revisions are never touched, since another worker may be writing them.
    """

    def __init__(self, parts: IngestParts, record: DocumentRecord, deadline: Deadline) -> None:
        self._parts = parts
        self._record = record
        self._deadline = deadline
        self._key = DocumentKey.parse(record.key)
        self._epoch = parts.tenants.epoch(record.tenant)
        self._generation = self._epoch.generation
        # Set by an attempt that ended early: its chunks may be of other bytes than those that come now.
        # A first revision may meet the chunks of a row that was lost.
        self._has_leftovers = record.stage != "" or record.revision == 1
        self._may_have_text = record.stage != ""
        self._stored_at_first = 0

    def run(self) -> None:
        """Ends in a final state, or raises with everything in place for the next attempt."""
        record = self._record
        # The claim may have taken readers away, and who claims does not reach the cache.
        self._publish(self._epoch)
        if record.live_revision == record.revision:
            self._make_live()
            return
        version = None
        if record.version_id:
            version = self._parts.objects.head(record.key, record.version_id)
        for _ in range(MAX_VERSIONS):
            version = version or self._parts.objects.head(record.key)
            is_done = self._index_or_reject(version) if version else self._delete()
            if is_done:
                return
            version = None
        raise StoreUnavailable("The object changes faster than it can be read.")

    def has_advanced(self) -> bool:
        """True when the next attempt starts with more text or chunks than this one did; never raises."""
        try:
            return self._stored_count() > self._stored_at_first
        except (IndexUnavailable, StoreUnavailable):
            return False

    def _stored_count(self) -> int:
        """Parts of text, and chunks."""
        record = self._record
        chunks = self._parts.index.stored_chunk_ids(
            record.tenant, self._generation, record.document_id, revision=record.revision
        )
        return len(chunks) + self._parts.texts.size(record.tenant, record.document_id, record.revision)

    def _stored_digest(self) -> str:
        record = self._record
        return self._parts.index.stored_digest(
            record.tenant, self._generation, record.document_id, revision=record.revision
        )

    def _index_or_reject(self, version: ObjectVersion) -> bool:
        """False when the version vanished before it was read."""
        self._record = replace(self._record, version_id=version.version_id, size_bytes=version.size_bytes)
        try:
            return self._index(version)
        except DocumentRejected as verdict:
            self._reject(version, verdict)
            return True

    def _reject(self, version: ObjectVersion, verdict: DocumentRejected) -> None:
        """Hides the document, sets the file aside, and only then says so: a death between repeats it."""
        self._hide(reason=verdict.reason)
        self._record = replace(self._record, quarantine_key=QuarantineKeys.of(self._key).copy)
        # The row names the copy before there is one, so that whoever comes next knows what to remove.
        row = self._progress(STAGE_QUARANTINE, 95)
        objects = self._parts.objects
        written = objects.set_aside(self._key, version, reason_of(row, version, verdict))
        try:
            self._conclude(DocumentState.REJECTED, keep_revision=0)
        except OutOfTurn:
            # A newer revision went its own way meanwhile and may have cleared up before this copy was made.
            objects.take_back(written)
            raise

    def _index(self, version: ObjectVersion) -> bool:
        metadata = self._parts.metadata.read(self._key, version)
        self._record = replace(
            self._record, access_groups=metadata.access_groups, expires_at=metadata.expires_at
        )
        self._refuse_at_sight(version)
        self._progress(STAGE_DOWNLOAD, 0)
        with TemporaryDirectory(prefix="haylift-") as folder:
            file = Path(folder, "document")
            if self._parts.objects.download(self._record.key, version.version_id, file) is None:
                return False
            digest = self._digest(file, metadata, version.content_type)
            if self._record.live_revision and digest == self._record.content_digest:
                # The same bytes again: what is live stays live and is only known by another version.
                # A worker may have died between its activation and this, so the epoch is told again.
                self._publish(self._parts.tenants.epoch(self._record.tenant))
                self._conclude(DocumentState.SEARCHABLE, keep_revision=self._record.live_revision)
                return True
            self._begin_draft(digest)
            self._write(file, version.content_type, metadata)
        self._record = replace(self._record, content_digest=digest)
        self._parts.index.refresh(self._record.tenant, self._generation)
        self._record = replace(self._record, chunks_digest=self._stored_digest())
        self._progress(STAGE_ACTIVATE, 95)
        self._make_live()
        return True

    def _make_live(self) -> None:
        """From the transaction on; repeated by the next attempt when this one dies within it."""
        self._publish(self._parts.ledger.activate(self._record, live_revision=self._record.revision))
        self._conclude(DocumentState.SEARCHABLE, keep_revision=self._record.revision)

    def _refuse_at_sight(self, version: ObjectVersion) -> None:
        if self._record.attempts > MAX_ATTEMPTS:
            raise DocumentRejected("Several workers died with this file.", reason="repeated_failure")
        if version.size_bytes == 0:
            raise DocumentRejected("The file has no bytes.", reason="empty")
        if version.size_bytes > self._parts.limits.max_file_bytes:
            raise DocumentRejected("The file is larger than the limit.", reason="too_large")

    def _begin_draft(self, digest: str) -> None:
        """Goes on with what an earlier attempt wrote of the same bytes in the same way; removes all else.

        The row says what the chunks are made of before the first of them is written.
        """
        draft = f"{self._record.revision}:{digest}"
        if draft != self._record.draft:
            if self._has_leftovers:
                self._remove(keep_revision=self._record.live_revision)
            self._record = replace(self._record, draft=draft)
            self._progress(STAGE_DRAFT, 5)
        elif self._has_leftovers:
            self._stored_at_first = self._stored_count()

    def _write(self, file: Path, content_type: str, metadata: DocumentMetadata) -> None:
        indexed = self._parts.pipeline.run(
            IndexingTask(
                file=file,
                key=self._key,
                revision=self._record.revision,
                generation=self._generation,
                content_type=content_type,
                metadata=metadata,
                progress=self._progress,
                deadline=self._deadline,
                has_leftovers=self._may_have_text,
                live_revision=self._record.live_revision,
                live_model=self._record.live_model,
            )
        )
        self._record = replace(
            self._record,
            title=indexed.title,
            media_type=indexed.media_type,
            chunk_count=indexed.chunk_count,
            live_model=indexed.model,
            partial_detail=indexed.partial_detail,
        )

    def _delete(self) -> bool:
        """False when an object is there after all: DELETED is said of what was looked at, not heard of."""
        self._record = replace(self._record, version_id="", size_bytes=0)
        self._hide(reason="")
        self._remove(keep_revision=0)
        if self._parts.objects.head(self._record.key) is not None:
            return False
        self._require_nothing_left()
        self._conclude(DocumentState.DELETED, keep_revision=0)
        return True

    def _require_nothing_left(self) -> None:
        """The tombstone tells receipts that the index was seen to be empty, so it is looked at once more."""
        self._parts.index.refresh(self._record.tenant, self._generation)
        if self._remove(keep_revision=0):
            raise IndexUnavailable("The index still held chunks of a deleted document.")

    def _hide(self, *, reason: str) -> None:
        self._record = replace(
            self._record,
            reason=reason,
            title="",
            media_type="",
            content_digest="",
            live_model="",
            chunk_count=0,
            partial_detail="",
        )
        self._publish(self._parts.ledger.activate(self._record, live_revision=0))
        self._record = replace(self._record, live_revision=0)
        self._has_leftovers = False

    def _conclude(self, state: DocumentState, *, keep_revision: int) -> None:
        self._remove(keep_revision=keep_revision)
        if state is not DocumentState.REJECTED and self._record.quarantine_key:
            self._parts.objects.release(self._key)
            self._record = replace(self._record, quarantine_key="")
        record = self._parts.ledger.finish(self._record, state)
        telemetry = self._parts.telemetry
        telemetry.record(Metric.DOCUMENTS, 1, state=state.value)
        if state is not DocumentState.DELETED:
            telemetry.record(Metric.DOCUMENT_REJECTIONS, int(state is DocumentState.REJECTED))
        if state is DocumentState.REJECTED:
            telemetry.record(Metric.DOCUMENTS_REJECTED, 1, reason=record.reason)
        if state is DocumentState.SEARCHABLE:
            duration_s = record.searchable_at - record.received_at
            telemetry.record(Metric.INDEXING_DURATION, duration_s, lane=record.lane.value)
            # S3's clock is not ours, and its events have whole seconds.
            waited_s = max(duration_s, record.searchable_at - (record.changed_at or record.received_at))
            telemetry.record(Metric.SEARCHABLE_AFTER, waited_s, lane=record.lane.value)
        record_verdict(record, state)
        logger.info(
            "document finished",
            extra={"document_id": record.document_id, "state": state.value, "reason": record.reason},
        )

    def _remove(self, *, keep_revision: int) -> int:
        removed = self._parts.index.remove(
            self._record.tenant,
            self._generation,
            self._record.document_id,
            keep_revision=keep_revision,
            up_to_revision=self._record.revision,
        )
        if self._has_leftovers or self._record.revision > 1 or keep_revision != self._record.revision:
            # Last: a text without chunks is found again by whoever removes the document once more.
            self._parts.texts.remove(
                self._record.tenant,
                self._record.document_id,
                keep_revision=keep_revision,
                up_to_revision=self._record.revision,
            )
        return removed

    def _publish(self, epoch: Epoch) -> None:
        try:
            self._parts.cache.publish(self._record.tenant, epoch)
        except CacheUnavailable:
            # The shared epoch lives 10 s; readers then take it from the tenants' table.
            logger.warning("epoch was not published", extra={"document_id": self._record.document_id})

    def _progress(self, stage: str, percent: int) -> DocumentRecord:
        self._deadline.require()
        return self._parts.ledger.progress(
            self._record, stage=stage, percent=percent, lease_s=self._parts.limits.lease_s
        )

    def _digest(self, file: Path, metadata: DocumentMetadata, content_type: str) -> str:
        said = "\0".join((metadata.canonical(), content_type, self._generation, self._parts.pipeline.recipe))
        with file.open("rb") as bytes_of_file:
            digest = hashlib.file_digest(bytes_of_file, "sha256")
        digest.update(said.encode())
        return digest.hexdigest()
