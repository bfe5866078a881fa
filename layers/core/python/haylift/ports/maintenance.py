"""What sweeping, reconciling and retention need from the world: lists in key order, and repairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from haylift.domain.documents import DocumentRecord
from haylift.domain.drift import CurrentObject, StoredDocument
from haylift.ports.search import TenantCounts, Tenants


@dataclass(frozen=True, kw_only=True)
class ObjectPage:
    """Objects in key order; `cursor` is where the next page goes on, None: the last page."""

    objects: tuple[CurrentObject, ...]
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True)
class RowPage:
    """Rows of documents whose work is not over; `cursor` None: the last page."""

    rows: tuple[DocumentRecord, ...]
    cursor: str | None = None


class BucketInventory(Protocol):
    """The upload bucket, looked through. All methods raise `StoreUnavailable`."""

    def current_objects(self, prefix: str, *, cursor: str | None = None, limit: int = 1_000) -> ObjectPage:
        """The current objects below a prefix, hidden ones left out; a page may be empty and not the last."""

    def newest(self, key: str) -> CurrentObject | None:
        """What lies under the key now, a delete marker included; None: nothing, not even a marker."""

    def folders(self, prefix: str) -> tuple[str, ...]:
        """The names right below the prefix, by name; also of folders in which all is deleted."""

    def delete(self, key: str) -> None:
        """Puts a delete marker; deleting twice is no error."""


class IndexState(StrEnum):
    """`ABSENT`: nothing was ever written, or what was is gone. `REBUILDING`: takes writes, answers nobody."""

    ABSENT = "absent"
    REBUILDING = "rebuilding"
    READY = "ready"


class IndexInventory(Protocol):
    """A tenant's index, looked through and repaired. All methods raise `IndexUnavailable`."""

    def stored_documents(
        self, tenant: str, generation: str, *, after: str = "", limit: int = 100, with_digests: bool = False
    ) -> tuple[StoredDocument, ...]:
        """The documents that have chunks, in the order of their ids, beginning after the id `after`."""

    def stored_document(self, tenant: str, generation: str, document_id: str) -> StoredDocument | None:
        """One document's revisions with their digests, in one snapshot; None: it has no chunks."""

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        """As `DocumentIndex.remove`."""

    def state(self, tenant: str, generation: str) -> IndexState:
        """Whether the index is there; one that is damaged or locked is `IndexUnavailable`."""

    def begin_rebuild(self, tenant: str, generation: str) -> None:
        """Makes an absent index, which takes writes and answers nobody before `end_rebuild`."""

    def end_rebuild(self, tenant: str, generation: str) -> None:
        """Lets a rebuilt index answer; nothing where it answers already."""


class LedgerInventory(Protocol):
    """The ledger, looked through. All methods raise `StoreUnavailable`; reads are strongly consistent."""

    def rows(self, tenant: str, *, after: str = "", limit: int = 100) -> tuple[DocumentRecord, ...]:
        """All rows, tombstones included, in the order of document ids, beginning after the id `after`."""

    def rows_of(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, DocumentRecord]:
        """The rows of these documents, by id; those without one are absent."""

    def open_rows(self, tenant: str, *, cursor: str | None = None, limit: int = 100) -> RowPage:
        """Rows that are RECEIVED or INDEXING; the list is a second old, the rows are not."""

    def note_resend(self, record: DocumentRecord) -> None:
        """Notes that the row's order was sent once more, unless the row has changed."""


class TenantTotals(Tenants, TenantCounts, Protocol):
    """The tenants' table, read and corrected."""

    def correct_count(self, tenant: str, documents: int, *, content_version: int) -> bool:
        """Sets the number of documents that readers can find.

        False when the content version is not `content_version` any more: something was made live or
        hidden since, and the number is old. Raises `StoreUnavailable`.
        """


class TaskNotes(Protocol):
    """Where a task that takes more than one invocation stands. All methods raise `StoreUnavailable`."""

    def read(self, task: str) -> str:
        """What was noted last; empty: nothing."""

    def write(self, task: str, text: str) -> None:
        """Notes it; at most 300 kB."""
