"""Receipts of deletions: what was asked, and what was seen to be gone."""

from dataclasses import dataclass

KEPT_S = 90 * 86_400
"""A receipt outlives the ledger's tombstone and the versions of the file, which go after 30 days."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One deletion. Times are epoch seconds (UTC).

    Args:
        revision: the document's newest when it was deleted; its deletion makes a later one.
        was_live: readers saw the document, so that the tenant's caches must move on.
        content_version: of the tenant, when it was deleted.
        marker_version_id: of the delete marker, empty in a bucket without versions.
        verified_at: 0 until everything was seen to be gone.
        expires_at: the receipt itself is dropped then.
    """

    tenant: str
    receipt_id: str
    document_id: str
    key: str
    purge: bool
    requested_by: str
    requested_at: float
    revision: int
    was_live: bool
    content_version: int
    marker_version_id: str
    expires_at: int
    access_groups: frozenset[str] = frozenset()
    claimed_groups: frozenset[str] = frozenset()
    verified_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What was looked at; True: nothing of the document is there. None: nobody asked for it."""

    index: bool
    cache: bool
    ledger: bool
    versions: bool | None = None
    stored_text: bool | None = None
    quarantine: bool | None = None

    @property
    def all_passed(self) -> bool:
        """True when nothing that was asked for is left."""
        asked = (self.index, self.cache, self.ledger, self.versions, self.stored_text, self.quarantine)
        return all(check is not False for check in asked)


NOTHING_SEEN = Checks(index=False, cache=False, ledger=False)
"""As a deletion begins."""


@dataclass(frozen=True, kw_only=True)
class ReceiptState:
    """A receipt as it stands; `uploaded_again`: a new file is at the key, which this was not about."""

    receipt: Receipt
    checks: Checks
    uploaded_again: bool

    @property
    def is_verified(self) -> bool:
        """True once everything was seen to be gone; it stays so."""
        return self.receipt.verified_at > 0
