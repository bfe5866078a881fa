"""Where the files of a folder stand: what was sent, what the ledger says, what the list shows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.history import changes_of

from benchmarks.folder_files import PlannedFile

NOT_SENT, METADATA, WAITING, UPLOADED = "NOT_UPLOADED", "METADATA", "WAITING", "UPLOADED"
"""States beside the ledger's: not sent (with the reason), sent as metadata of a document, not sent yet,
sent and not yet claimed."""

UPLOAD_FAILED = "upload_failed"


@dataclass(frozen=True, kw_only=True)
class StoredText:
    """What the system keeps of a document's text.

    Args:
        characters: its length.
        has_ocr: whether some of it was read off pictures.
    """

    characters: int
    has_ocr: bool


@dataclass(kw_only=True)
class FileRow:
    """One file of the folder.

    Args:
        sent_at: epoch seconds before its first byte was sent; 0: not sent.
        version_id: of the object that was put.
        fault: why it was not sent.
        seen: the ledger's newest row; it may be of another version, and known before S3 has answered.
        text: what is kept of it, once it is searchable.
        is_found: whether a search for its words gave it; None: nobody searched.
    """

    plan: PlannedFile
    sent_at: float = 0.0
    version_id: str = ""
    fault: str = ""
    seen: DocumentRecord | None = None
    text: StoredText | None = None
    is_found: bool | None = None

    @property
    def record(self) -> DocumentRecord | None:
        """The ledger's row when it is about the very version that was sent."""
        is_own = self.seen is not None and self.version_id and self.seen.version_id == self.version_id
        return self.seen if is_own else None

    @property
    def state(self) -> str:
        """The ledger's state, or where the file stands before the ledger knows it."""
        if self.fault or self.plan.key is None:
            return NOT_SENT
        if not self.version_id:
            return WAITING
        if self.plan.is_metadata:
            return METADATA
        return self.record.state.value if self.record else UPLOADED

    @property
    def has_ended(self) -> bool:
        """True when nothing more will happen to it; what could not be sent has ended too."""
        if self.state in {NOT_SENT, METADATA}:
            return True
        return self.record is not None and self.record.state.is_final

    @property
    def reason(self) -> str:
        """Why it was rejected or not sent; of a metadata file, that it is about no file of the folder."""
        if self.state == NOT_SENT:
            return self.fault or self.plan.found.fault
        if self.state == METADATA:
            return "" if self.plan.document else "no_document"
        return self.record.reason if self.record else ""

    def seconds(self, now: float) -> float:
        """From the begin of the upload to its end by the ledger's times, or till now while it goes on."""
        if not self.sent_at or self.plan.is_metadata:
            return 0.0
        ended_at = ended_at_of(self.record) if self.has_ended and self.record else now
        return max(0.0, ended_at - self.sent_at)

    def shown(self, now: float) -> dict[str, Any]:
        """The entry of the list; `now` in epoch seconds."""
        record, text = self.record, self.text
        entry: dict[str, Any] = {
            "file": self.plan.found.name,
            "state": self.state,
            "reason": self.reason,
            "seconds": round(self.seconds(now), 3),
            "chunks": record.chunk_count if record else 0,
            "characters": text.characters if text else 0,
            "partial": record.partial_detail if record else "",
            "ocr": text.has_ocr if text else False,
            "document_id": self.plan.key.document_id if self.plan.key else "",
            "key": self.plan.key.object_key if self.plan.key else "",
        }
        return entry if self.is_found is None else entry | {"found": self.is_found}


def ended_at_of(record: DocumentRecord) -> float:
    """When the row's revision reached its state, epoch seconds: later renewals of the row do not count."""
    changes = changes_of(record)
    return changes[-1].at if changes and changes[-1].state is record.state else record.updated_at


def summary(rows: Iterable[FileRow]) -> str:
    """Counts by state and reason, as people read them.

    >>> summary([])
    'no files'
    """
    counts = Counter(f"{row.state} ({row.reason})" if row.reason else row.state for row in rows)
    parts = [f"{count} {name}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    return ", ".join(parts) or "no files"


def is_whole(rows: Iterable[FileRow]) -> bool:
    """True when every file that could be read has ended."""
    return all(row.has_ended and row.fault != UPLOAD_FAILED for row in rows)


def is_searchable(row: FileRow) -> bool:
    """True when readers find it."""
    return row.record is not None and row.record.state is DocumentState.SEARCHABLE
