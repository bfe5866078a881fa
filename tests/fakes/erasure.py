"""Receipts, versions and texts in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from haylift.domain.errors import LegalHold
from haylift.domain.receipts import Receipt
from haylift.ports.erasure import ErasableTexts, KeptVersion, ObjectVersions, Receipts

from tests.fakes.bucket import MemoryBucket


@dataclass
class MemoryReceipts(Receipts):
    """Receipts over a dictionary."""

    rows: dict[tuple[str, str], Receipt] = field(default_factory=dict)

    def put(self, receipt: Receipt) -> None:
        self.rows[receipt.tenant, receipt.receipt_id] = receipt

    def get(self, tenant: str, receipt_id: str) -> Receipt | None:
        return self.rows.get((tenant, receipt_id))

    def verify(self, receipt: Receipt, at: float) -> Receipt:
        known = self.rows[receipt.tenant, receipt.receipt_id]
        if not known.verified_at:
            known = replace(known, verified_at=at)
            self.put(known)
        return known


@dataclass
class MemoryVersions(ObjectVersions):
    """The versions of a `MemoryBucket`; those in `held` cannot be removed."""

    bucket: MemoryBucket
    held: set[str] = field(default_factory=set)

    def versions(self, key: str) -> Sequence[KeptVersion]:
        stored = reversed(self.bucket.versions.get(key, []))
        return [KeptVersion(key=key, version_id=version.version_id) for version in stored]

    def is_held(self, versions: Collection[KeptVersion]) -> bool:
        return any(kept.version_id in self.held for kept in versions)

    def remove(self, versions: Sequence[KeptVersion]) -> None:
        for kept in versions:
            if kept.version_id in self.held:
                raise LegalHold("held")
            if any(each.version_id == kept.version_id for each in self.bucket.versions.get(kept.key, [])):
                self.bucket.expire(kept.key, kept.version_id)


@dataclass
class MemoryErasableTexts(ErasableTexts):
    """Texts as revisions by document."""

    revisions: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def remove(
        self, tenant: str, document_id: str, *, keep_revision: int, up_to_revision: int | None = None
    ) -> int:
        kept = self.revisions.setdefault((tenant, document_id), set())
        newest = max(kept, default=0) if up_to_revision is None else up_to_revision
        gone = {revision for revision in kept if revision != keep_revision and revision <= newest}
        kept -= gone
        return len(gone)
