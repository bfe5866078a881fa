"""The bucket, the ledger and notes as maintenance looks through them, in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from haylift.domain.documents import DocumentRecord
from haylift.domain.drift import CurrentObject
from haylift.ports.maintenance import ObjectPage, RowPage

from tests.fakes.bucket import MemoryBucket
from tests.fakes.ingestion import MemoryLedger


@dataclass
class BucketView:
    """`BucketInventory` over a bucket; an object changed at `changed_at` by key, or long ago."""

    bucket: MemoryBucket
    changed_at: dict[str, float] = field(default_factory=dict)

    def current_objects(self, prefix: str, *, cursor: str | None = None, limit: int = 1_000) -> ObjectPage:
        keys = sorted(key for key in self.bucket.versions if key.startswith(prefix) and key > (cursor or ""))
        found = [self.newest(key) for key in keys[:limit]]
        return ObjectPage(
            objects=tuple(each for each in found if each is not None and each.version_id),
            cursor=keys[limit - 1] if len(keys) > limit else None,
        )

    def newest(self, key: str) -> CurrentObject | None:
        if not self.bucket.versions.get(key):
            return None
        current = self.bucket.current(key)
        version_id = current.version_id if current else ""
        return CurrentObject(key=key, version_id=version_id, changed_at=self.changed_at.get(key, 0.0))

    def folders(self, prefix: str) -> tuple[str, ...]:
        below = [key.removeprefix(prefix) for key in self.bucket.versions if key.startswith(prefix)]
        return tuple(sorted({name.split("/")[0] for name in below if "/" in name}))

    def delete(self, key: str) -> None:
        self.bucket.delete(key)


@dataclass
class LedgerView:
    """`LedgerInventory` over a ledger."""

    ledger: MemoryLedger

    def rows(self, tenant: str, *, after: str = "", limit: int = 100) -> tuple[DocumentRecord, ...]:
        mine = [row for (owner, name), row in self.ledger.rows.items() if owner == tenant and name > after]
        return tuple(sorted(mine, key=lambda row: row.document_id)[:limit])

    def rows_of(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, DocumentRecord]:
        rows = (self.ledger.rows.get((tenant, document_id)) for document_id in document_ids)
        return {row.document_id: row for row in rows if row is not None}

    def open_rows(self, tenant: str, *, cursor: str | None = None, limit: int = 100) -> RowPage:
        page = self.rows(tenant, after=cursor or "", limit=limit)
        is_last = len(page) < limit
        return RowPage(
            rows=tuple(row for row in page if not row.state.is_final),
            cursor=None if is_last else page[-1].document_id,
        )

    def note_resend(self, record: DocumentRecord) -> None:
        if self.ledger.rows.get((record.tenant, record.document_id)) == record:
            self.ledger.rows[record.tenant, record.document_id] = replace(
                record, resends=record.resends + 1, resent_at=self.ledger.clock.now()
            )


@dataclass
class MemoryNotes:
    """`TaskNotes` over a dictionary."""

    texts: dict[str, str] = field(default_factory=dict)

    def read(self, task: str) -> str:
        return self.texts.get(task, "")

    def write(self, task: str, text: str) -> None:
        self.texts[task] = text
