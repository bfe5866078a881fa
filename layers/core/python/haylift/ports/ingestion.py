"""What ingestion needs from the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Epoch, Lane, ObjectVersion
from haylift.domain.events import IngestionOrder, ObjectEvent
from haylift.domain.listing import DocumentFilter
from haylift.domain.metadata import DocumentMetadata
from haylift.ports.quarantine import Quarantine
from haylift.ports.search import LiveRevisions
from haylift.resilience import Deadline

EVERY_DOCUMENT = DocumentFilter()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What became of an event. `record` is the row after it; `is_new` False: an older or known event."""

    record: DocumentRecord
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class ClaimTerms:
    """What was read before the claim.

    Args:
        expires_at: when the uploader wants the document deleted, epoch seconds; 0: never.
        seen_revision: of the row before object and metadata were looked at (0: there was no row). The
            claim is refused when there is another one by now: what was seen may be older than it.
        changes_readers: whether others may read it, or until another time, than the row said that was
            seen. Then the claim and the tenant's next content version are one write, so that no answer
            kept before it counts after it.
    """

    expires_at: int
    seen_revision: int
    changes_readers: bool = False


@dataclass(frozen=True, kw_only=True)
class DocumentPage:
    """A page of a tenant's documents, newest change first; `cursor` None: the last page."""

    documents: tuple[DocumentRecord, ...]
    cursor: str | None = None


class Ledger(LiveRevisions, Protocol):
    """One row per document decides order, work and visibility; every write is conditional.

    Promises: a claim with an older sequencer changes nothing; revisions only grow; only the newest
    revision's lease holder can change its row; a lost answer of a write that succeeded is recognised
    as one's own. All methods raise `StoreUnavailable`.
    """

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        """The row, strongly consistent."""

    def list(
        self, tenant: str, *, limit: int, cursor: str | None = None, wanted: DocumentFilter = EVERY_DOCUMENT
    ) -> DocumentPage:
        """A page of rows, perhaps short: only without a cursor it was the last.

        Tombstones only when `wanted` asks for their state. `invalid_cursor` is InvalidInput.
        """

    def claim(
        self,
        event: ObjectEvent,
        version_id: str,
        *,
        lane: Lane,
        groups: frozenset[str] | None = None,
        terms: ClaimTerms | None = None,
    ) -> Claim:
        """Claims the event by its sequencer: a new revision in state RECEIVED, unless it is late.

        `version_id` is the version to index; empty when the object is gone. `groups` are those that
        may read it, so that nobody else sees the document while it waits; None: as they were. A claim
        that `terms` refuse gives a row whose sequencer is older than the event's: look again.
        """

    def open_count(self, tenant: str, lane: Lane, limit: int) -> int:
        """How many of the tenant's documents in the lane are RECEIVED or INDEXING, counted up to `limit`."""

    def take_lease(
        self, tenant: str, document_id: str, revision: int, owner: str, lease_s: float
    ) -> DocumentRecord:
        """Takes the revision's lease, counts the attempt and sets INDEXING. Raises `OutOfTurn`."""

    def progress(self, record: DocumentRecord, *, stage: str, percent: int, lease_s: float) -> DocumentRecord:
        """Renews the lease, shows where the work stands, keeps the record's `draft`
        and `quarantine_key`. Raises `OutOfTurn`."""

    def release(self, record: DocumentRecord) -> None:
        """Gives the lease back after a failure, so that the next delivery need not wait for it."""

    def activate(self, record: DocumentRecord, *, live_revision: int) -> Epoch:
        """In one transaction: what readers see, and the tenant's next content version. Raises `OutOfTurn`.

        `live_revision` 0 hides the document. Safe to repeat.
        """

    def finish(self, record: DocumentRecord, state: DocumentState) -> DocumentRecord:
        """Writes a final state with the record's title, digest, counts and reason; drops the lease.

        Raises `OutOfTurn`. DELETED rows become tombstones that outlive queue retention and redrive.
        """

    def check(self) -> None:
        """Asks the table whether it answers."""


class Objects(Quarantine, Protocol):
    """The upload bucket, its quarantine included. All methods raise `StoreUnavailable`."""

    def head(self, key: str, version_id: str | None = None) -> ObjectVersion | None:
        """The current (or the given) version; None when it is gone or hidden by a delete marker."""

    def download(self, key: str, version_id: str, target: Path) -> ObjectVersion | None:
        """Writes that version's bytes to `target`; None when the version is gone."""

    def delete(self, key: str) -> str:
        """Puts a delete marker and gives its version id, empty in a bucket without versions.

        Deleting twice is no error.
        """

    def upload_form(
        self,
        key: str,
        *,
        max_bytes: int,
        expires_s: int,
        content_type: str = "",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> "UploadForm":
        """A presigned POST for exactly this key, metadata and, when one is given, content type."""

    def download_url(self, key: str, version_id: str, *, expires_s: int) -> str:
        """A presigned GET of that version."""


@dataclass(frozen=True, kw_only=True)
class UploadForm:
    """A presigned POST: send `fields` and then the file as `file` to `url`."""

    url: str
    fields: Mapping[str, str]
    expires_s: int
    max_bytes: int


@dataclass(frozen=True, kw_only=True)
class IndexingTask:
    """One file on its way into the index, and how its worker shows signs of life.

    Args:
        file: the bytes, on this machine.
        revision: what the chunks are written under; nobody sees them before it is made live.
        content_type: as the object says; a hint, the bytes decide.
        progress: called with a stage and percent before each step; raises `OutOfTurn` when the work
            is another's by now.
        has_leftovers: whether an earlier attempt may have kept text of these bytes.
        live_revision: what readers see until then, whose text may be of the same bytes; 0: nothing.
        live_model: made the vectors of that revision; empty: none of them may be used again.
    """

    file: Path
    key: DocumentKey
    revision: int
    generation: str
    content_type: str
    metadata: DocumentMetadata
    progress: Callable[[str, int], object]
    deadline: Deadline
    has_leftovers: bool = False
    live_revision: int = 0
    live_model: str = ""


@dataclass(frozen=True, kw_only=True)
class IndexedDocument:
    """What became of a file: all its chunks are written, none is live yet.

    `partial_detail` counts what of the file is not in them; empty: nothing is left out. `model` made
    their vectors; empty: a next revision must not use them again.
    """

    title: str
    media_type: str
    chunk_count: int
    partial_detail: str = ""
    model: str = ""


class IndexingPipeline(Protocol):
    """The Haystack pipeline that turns a file into chunks of the index; a user's own can take its place."""

    @property
    def recipe(self) -> str:
        """Changes whenever the same bytes would give other chunks or vectors."""

    def run(self, task: IndexingTask) -> IndexedDocument:
        """Parses, splits, embeds and writes; safe to repeat.

        What is stored of the revision is of these bytes and this recipe, and need not be made again:
        an attempt that finds nothing to keep must end in one invocation.

        Raises:
            DocumentRejected: a verdict about the file.
            ModelUnavailable, IndexUnavailable, DeadlineExceeded: a retry helps.
            OutOfTurn: from `task.progress`.
        """


class Lanes(Protocol):
    """The queues between dispatch and ingestion; at least once, fair between tenants."""

    def send(self, lane: Lane, order: IngestionOrder) -> None:
        """Puts the order into the lane; raises `StoreUnavailable`."""
