"""Where bucket, ledger and index do not say the same of a document, and which of it readers would notice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from haylift.domain.documents import DocumentRecord, DocumentState


class DriftKind(StrEnum):
    """The kinds of drift; at most ten of them fit into one expression of an alarm."""

    INDEX_LOST = "index_lost"
    OBJECT_WITHOUT_ROW = "object_without_row"
    ROW_WITHOUT_OBJECT = "row_without_object"
    WRONG_VERSION = "wrong_version"
    WRONG_STATE = "wrong_state"
    CHUNKS_MISSING = "chunks_missing"
    CHUNKS_EXTRA = "chunks_extra"
    CHUNKS_CHANGED = "chunks_changed"
    UNKNOWN_CHUNKS = "unknown_chunks"
    ORPHAN_CHUNKS = "orphan_chunks"
    CONTENT_COUNT = "content_count"


UNTRUSTED = frozenset(
    {
        DriftKind.WRONG_STATE,
        DriftKind.CHUNKS_MISSING,
        DriftKind.CHUNKS_EXTRA,
        DriftKind.CHUNKS_CHANGED,
    }
)
"""What is live cannot be kept, even for the same bytes: it is made anew from them."""

LEFT_BEHIND = frozenset({DriftKind.ORPHAN_CHUNKS, DriftKind.UNKNOWN_CHUNKS})
"""No reader sees it: what dead workers left, which the sweeper takes away."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One finding. `document_id` and `key` are empty where it is about a tenant as a whole."""

    tenant: str
    kind: DriftKind
    document_id: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class CurrentObject:
    """What a bucket shows under a key now. `version_id` empty: a delete marker hides what was there.

    `changed_at`: epoch seconds by S3's clock, in whole seconds.
    """

    key: str
    version_id: str
    changed_at: float


@dataclass(frozen=True, kw_only=True)
class StoredRevision:
    """What an index holds of one revision.

    Args:
        chunk_count: chunks that can be found.
        digest: SHA-256 (hexadecimal) over their ids, contents and vectors; empty when it was not asked for.
    """

    chunk_count: int
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class StoredDocument:
    """What an index holds of one document, by revision."""

    document_id: str
    key: str
    revisions: Mapping[int, StoredRevision] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """The highest revision that has chunks; 0: none."""
        return max(self.revisions, default=0)


@dataclass(frozen=True, kw_only=True)
class DocumentFacts:
    """What all three say of one document, read while its row stood still.

    Args:
        settle_s: a change of the object that is younger may still be on its way to the ledger.
    """

    row: DocumentRecord | None
    stored: Mapping[int, StoredRevision]
    found: CurrentObject | None
    now: float
    settle_s: float

    @property
    def is_there(self) -> bool:
        """True when the bucket shows an object."""
        return self.found is not None and bool(self.found.version_id)

    @property
    def has_settled(self) -> bool:
        """True when the news of the object's last change must have arrived.

        What was removed with all its versions says nothing of when; its row was no younger.
        """
        last = self.found.changed_at if self.found else self.row.updated_at if self.row else 0.0
        return self.now - last >= self.settle_s


def document_drift(facts: DocumentFacts) -> tuple[DriftKind, ...]:
    """Everything that is wrong with a document; empty when all three agree or work on it is under way.

    >>> document_drift(DocumentFacts(row=None, stored={}, found=None, now=0.0, settle_s=60.0))
    ()
    """
    row = facts.row
    if row is None:
        return _without_row(facts)
    if not row.state.is_final:
        # A worker brings it to the bucket's state; what older revisions left is nobody's work.
        return (DriftKind.ORPHAN_CHUNKS,) if orphan_revisions(row, facts.stored) else ()
    return (*_against_bucket(row, facts), *_against_itself(row), *_against_index(row, facts.stored))


def orphan_revisions(row: DocumentRecord, stored: Mapping[int, StoredRevision]) -> tuple[int, ...]:
    """The revisions in the index that are neither live nor being written."""
    kept = {row.live_revision} if row.state.is_final else {row.live_revision, row.revision}
    return tuple(sorted(revision for revision in stored if revision not in kept))


def _without_row(facts: DocumentFacts) -> tuple[DriftKind, ...]:
    if facts.is_there:
        return (DriftKind.OBJECT_WITHOUT_ROW,) if facts.has_settled else ()
    return (DriftKind.UNKNOWN_CHUNKS,) if facts.stored else ()


def _against_bucket(row: DocumentRecord, facts: DocumentFacts) -> tuple[DriftKind, ...]:
    if not facts.has_settled:
        return ()
    if not facts.is_there:
        return () if row.state is DocumentState.DELETED else (DriftKind.ROW_WITHOUT_OBJECT,)
    is_same = facts.found is not None and row.version_id == facts.found.version_id
    return () if is_same else (DriftKind.WRONG_VERSION,)


def _against_itself(row: DocumentRecord) -> tuple[DriftKind, ...]:
    if row.state is DocumentState.SEARCHABLE:
        is_whole = row.live_revision > 0 and row.live_version_id == row.version_id
    else:
        is_whole = row.live_revision == 0
    return () if is_whole else (DriftKind.WRONG_STATE,)


def _against_index(row: DocumentRecord, stored: Mapping[int, StoredRevision]) -> tuple[DriftKind, ...]:
    found: list[DriftKind] = []
    if row.live_revision:
        live = stored.get(row.live_revision, StoredRevision(chunk_count=0))
        if live.chunk_count != row.chunk_count:
            is_short = live.chunk_count < row.chunk_count
            found.append(DriftKind.CHUNKS_MISSING if is_short else DriftKind.CHUNKS_EXTRA)
        elif row.chunks_digest and live.digest and live.digest != row.chunks_digest:
            found.append(DriftKind.CHUNKS_CHANGED)
    if orphan_revisions(row, stored):
        found.append(DriftKind.ORPHAN_CHUNKS)
    return tuple(found)
