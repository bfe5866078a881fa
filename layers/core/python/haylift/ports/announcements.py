"""What telling uploaders needs from the world."""

from collections.abc import Mapping
from typing import Protocol

from haylift.domain.documents import DocumentRecord


class ObjectTags(Protocol):
    """The tags of object versions. All methods raise `StoreUnavailable`."""

    def tags(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """The version's tags; None when the version is gone."""

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> bool:
        """Replaces all tags of the version (at most 10); False when the version is gone."""


class LedgerRows(Protocol):
    """The rows of the ledger, strongly consistent. Raises `StoreUnavailable`."""

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        """The row; None when there is none."""


class ChangeEvents(Protocol):
    """Whoever listens to changes of documents."""

    def publish(self, record: DocumentRecord) -> None:
        """Tells the state of `record`, at least once and in any order; raises `StoreUnavailable`."""
