"""Deletes documents and proves it: a receipt is verified after everything was seen to be gone.

Who looks: the ingestion, which works inside the network, removes the document's chunks, looks a second time
and writes into the ledger's tombstone which delete marker it has carried out. Reading a receipt compares that
with the receipt's own marker, with the tenant's content version, and for a purge with the bucket itself, from
which it removes what is left. Nothing polls.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from haylift.domain.documents import DocumentKey, DocumentRecord
from haylift.domain.errors import LegalHold, StoreUnavailable
from haylift.domain.metadata import sidecar_key
from haylift.domain.quarantine import QuarantineKeys
from haylift.domain.receipts import KEPT_S, Checks, Receipt, ReceiptState
from haylift.ports.announcements import LedgerRows
from haylift.ports.erasure import ErasableTexts, KeptVersion, ObjectVersions, Receipts
from haylift.ports.ingestion import Objects
from haylift.ports.search import Tenants

logger = logging.getLogger(__name__)

EPOCH_LIFE_S = 10.0
"""So long a process may believe an older epoch; answers kept under one are out of reach after it."""


@dataclass(frozen=True, kw_only=True)
class ErasureService:
    """Puts delete markers, keeps receipts and verifies them. All methods raise `StoreUnavailable`.

    Args:
        now: the clock, epoch seconds.
        new_id: names a receipt, each time anew, so that nobody guesses it.
    """

    ledger: LedgerRows
    tenants: Tenants
    objects: Objects
    versions: ObjectVersions
    texts: ErasableTexts
    receipts: Receipts
    now: Callable[[], float]
    new_id: Callable[[], str]

    def begin(self, record: DocumentRecord, *, purge: bool, requested_by: str) -> Receipt:
        """Deletes the document's object; with `purge` all its versions and whatever was made of them.

        Raises:
            LegalHold: `purge` was asked and a version is under legal hold or retention; nothing was done.
        """
        before = self.versions.versions(record.key) if purge else ()
        if self.versions.is_held(before):
            raise LegalHold("A version of this file is under legal hold or retention: it cannot be purged.")
        now = self.now()
        content_version = self.tenants.epoch(record.tenant).content_version
        receipt = Receipt(
            tenant=record.tenant,
            receipt_id=self.new_id(),
            document_id=record.document_id,
            key=record.key,
            purge=purge,
            requested_by=requested_by,
            requested_at=now,
            revision=record.revision,
            was_live=record.live_revision > 0,
            content_version=content_version,
            marker_version_id=self.objects.delete(record.key),
            expires_at=int(now) + KEPT_S,
            access_groups=record.access_groups,
            claimed_groups=record.claimed_groups,
        )
        self.receipts.put(receipt)
        if purge:
            self._purge_at_once(receipt, before)
        return receipt

    def look(self, receipt: Receipt) -> ReceiptState:
        """Looks whether the document is gone by now, and notes it when it is; goes on with a purge."""
        uploaded_again = self.objects.head(receipt.key) is not None
        if receipt.verified_at:
            return ReceiptState(receipt=receipt, checks=_passed(receipt), uploaded_again=uploaded_again)
        row = self.ledger.get(receipt.tenant, receipt.document_id)
        is_erased = row is not None and self._is_erased(receipt, row)
        checks = Checks(
            index=is_erased, ledger=is_erased, cache=is_erased and self._is_uncached(receipt, row)
        )
        if receipt.purge:
            checks = self._purged(receipt, row if is_erased else None, checks)
        if checks.all_passed:
            receipt = self.receipts.verify(receipt, self.now())
        return ReceiptState(receipt=receipt, checks=checks, uploaded_again=uploaded_again)

    def _is_erased(self, receipt: Receipt, row: DocumentRecord) -> bool:
        """True when the ingestion has carried out this receipt's delete marker or a newer one."""
        if row.erased_revision <= receipt.revision:
            return False
        if row.erased_version_id == receipt.marker_version_id:
            return True
        order = [kept.version_id for kept in self.versions.versions(receipt.key)]
        ids = (row.erased_version_id, receipt.marker_version_id)
        return all(each in order for each in ids) and order.index(ids[0]) < order.index(ids[1])

    def _is_uncached(self, receipt: Receipt, row: DocumentRecord | None) -> bool:
        content_version = self.tenants.epoch(receipt.tenant).content_version
        has_moved = content_version >= receipt.content_version + receipt.was_live
        return has_moved and row is not None and self.now() >= row.erased_at + EPOCH_LIFE_S

    def _purge_at_once(self, receipt: Receipt, before: Sequence[KeptVersion]) -> None:
        """What was there before the marker is older, whatever the clocks say; the rest waits for a reader."""
        try:
            self.versions.remove(before)
            self._remove_versions(receipt)
        except (StoreUnavailable, LegalHold):
            logger.warning("purge is not over", extra={"document_id": receipt.document_id})

    def _purged(self, receipt: Receipt, row: DocumentRecord | None, checks: Checks) -> Checks:
        """Removes what is left, then looks whether anything still is; texts only after the worker is done."""
        try:
            self._remove_versions(receipt)
        except LegalHold:
            # A hold that came after the deletion: the receipt stays unverified and says which check failed.
            logger.warning("purge is held", extra={"document_id": receipt.document_id})
        if row is not None:
            up_to = row.erased_revision
            self.texts.remove(receipt.tenant, receipt.document_id, keep_revision=0, up_to_revision=up_to)
            left = self.texts.remove(
                receipt.tenant, receipt.document_id, keep_revision=0, up_to_revision=up_to
            )
        return replace(
            checks,
            versions=not self._older_versions(receipt) and not self._marker(receipt),
            stored_text=row is not None and left == 0,
            quarantine=not self._copies(receipt),
        )

    def _remove_versions(self, receipt: Receipt) -> None:
        """Everything older than the receipt's marker, what was made of it, and the marker last.

        While the marker is there it tells older versions from those of a new upload.
        """
        self.versions.remove(self._older_versions(receipt))
        self.versions.remove(self._copies(receipt))
        self.versions.remove(self._marker(receipt))

    def _older_versions(self, receipt: Receipt) -> list[KeptVersion]:
        found = list(self.versions.versions(receipt.key))
        ids = [kept.version_id for kept in found]
        if receipt.marker_version_id not in ids:
            return []
        return found[ids.index(receipt.marker_version_id) + 1 :]

    def _marker(self, receipt: Receipt) -> list[KeptVersion]:
        found = self.versions.versions(receipt.key)
        return [kept for kept in found if kept.version_id == receipt.marker_version_id]

    def _copies(self, receipt: Receipt) -> list[KeptVersion]:
        """Copies in quarantine and the metadata file, unless a new upload may have them by now."""
        if self.objects.head(receipt.key) is not None:
            return []
        key = DocumentKey.parse(receipt.key)
        quarantined = QuarantineKeys.of(key)
        keys = (quarantined.copy, quarantined.reason, sidecar_key(key).object_key)
        return [kept for name in keys for kept in self.versions.versions(name)]


def _passed(receipt: Receipt) -> Checks:
    purged = True if receipt.purge else None
    return Checks(index=True, cache=True, ledger=True, versions=purged, stored_text=purged, quarantine=purged)
