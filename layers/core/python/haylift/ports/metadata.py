"""Where the metadata of documents comes from."""

from typing import Protocol

from haylift.domain.documents import DocumentKey, ObjectVersion
from haylift.domain.metadata import DocumentMetadata


class MetadataReader(Protocol):
    """What counts of what was said about a version, as it stands now."""

    def read(self, key: DocumentKey, version: ObjectVersion) -> DocumentMetadata:
        """Reads it.

        Raises:
            DocumentRejected: `invalid_metadata`.
            StoreUnavailable: a retry helps.
        """


class SmallFiles(Protocol):
    """The current versions of small objects. Raises `StoreUnavailable`."""

    def read(self, key: str, *, max_bytes: int) -> bytes | None:
        """Its first `max_bytes` bytes; None when there is none."""
