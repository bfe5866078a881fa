"""What deleting for good, and proving it, needs from the world."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from haylift.domain.receipts import Receipt


class Receipts(Protocol):
    """Receipts of deletions, by tenant. All methods raise `StoreUnavailable`."""

    def put(self, receipt: Receipt) -> None:
        """Keeps a new receipt."""

    def get(self, tenant: str, receipt_id: str) -> Receipt | None:
        """The tenant's receipt, strongly consistent."""

    def verify(self, receipt: Receipt, at: float) -> Receipt:
        """Notes the time at which all was seen to be gone, once; gives the receipt as it stands."""


@dataclass(frozen=True, kw_only=True)
class KeptVersion:
    """One version of an object, or a delete marker."""

    key: str
    version_id: str


class ObjectVersions(Protocol):
    """All versions of objects, delete markers among them. All methods raise `StoreUnavailable`."""

    def versions(self, key: str) -> Sequence[KeptVersion]:
        """The versions and delete markers of exactly this key, the newest first."""

    def is_held(self, versions: Collection[KeptVersion]) -> bool:
        """Says whether a legal hold or a retention keeps any; a bucket without Object Lock has none."""

    def remove(self, versions: Sequence[KeptVersion]) -> None:
        """Removes these versions for good, in this order; those that are gone are no error.

        Raises:
            LegalHold: the store refuses to give one up; those before it are removed.
        """


class ErasableTexts(Protocol):
    """The stored texts of a document. Raises `StoreUnavailable`."""

    def remove(
        self, tenant: str, document_id: str, *, keep_revision: int, up_to_revision: int | None = None
    ) -> int:
        """Removes the texts of other revisions with all their versions; how many there were."""
