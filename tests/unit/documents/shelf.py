"""A ledger and a bucket as far as the documents API looks into them."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Role
from haylift.domain.listing import DocumentFilter
from haylift.ports import DocumentPage, UploadForm
from haylift.ports.ingestion import EVERY_DOCUMENT
from haylift.services.documents import DocumentsService
from haylift.services.erasure import ErasureService

from tests.fakes.bucket import MemoryBucket
from tests.fakes.cache import InMemoryTenants
from tests.fakes.erasure import MemoryErasableTexts, MemoryReceipts, MemoryVersions
from tests.fakes.gateway import principal
from tests.fakes.identity import ManualClock


@dataclass
class ShelfLedger:
    """Rows of all tenants; the cursor is a position in the tenant's list."""

    rows: dict[tuple[str, str], DocumentRecord] = field(default_factory=dict)
    reads: int = 0

    def add(self, records: Iterable[DocumentRecord]) -> None:
        self.rows |= {(record.tenant, record.document_id): record for record in records}

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        self.reads += 1
        return self.rows.get((tenant, document_id))

    def list(
        self, tenant: str, *, limit: int, cursor: str | None = None, wanted: DocumentFilter = EVERY_DOCUMENT
    ) -> DocumentPage:
        self.reads += 1
        assert limit >= 1
        if cursor is not None and not cursor.isdecimal():
            raise InvalidInput("The cursor is not one of ours.", code="invalid_cursor", where="cursor")
        start = int(cursor or 0)
        rows = sorted(
            (row for row in self.rows.values() if row.tenant == tenant and wanted.matches(row)),
            key=lambda row: (-row.updated_at, row.document_id),
        )
        following = start + limit
        return DocumentPage(
            documents=tuple(rows[start:following]), cursor=str(following) if following < len(rows) else None
        )


@dataclass
class ShelfObjects:
    """A bucket that remembers what was asked of it."""

    deleted: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)

    def head(self, key: str, version_id: str | None = None) -> None:
        """Nothing is there."""

    def delete(self, key: str) -> str:
        self.deleted.append(key)
        return f"marker-{len(self.deleted)}"

    def upload_form(
        self,
        key: str,
        *,
        max_bytes: int,
        expires_s: int,
        content_type: str = "",
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> UploadForm:
        self.forms.append(key)
        typed = {"Content-Type": content_type} if content_type else {}
        typed |= {f"x-amz-meta-{name}": text for name, text in metadata.items()}
        fields = {"key": key, "policy": "e30=", **typed}
        return UploadForm(url="https://bucket.test/", fields=fields, expires_s=expires_s, max_bytes=max_bytes)

    def download_url(self, key: str, version_id: str, *, expires_s: int) -> str:
        return f"https://bucket.test/{key}?versionId={version_id}&X-Amz-Expires={expires_s}"


def record(path: str = "handbook/start.md", tenant: str = "acme", **changes: Any) -> DocumentRecord:
    """A searchable document."""
    key = DocumentKey(tenant, path)
    row = DocumentRecord(
        tenant=tenant,
        document_id=key.document_id,
        key=key.object_key,
        sequencer="0" * 64,
        revision=3,
        state=DocumentState.SEARCHABLE,
        live_revision=3,
        live_version_id="v3",
        version_id="v3",
        size_bytes=1_234,
        stage="done",
        percent=100,
        title="Start here",
        media_type="text/markdown",
        chunk_count=7,
        received_at=1_800_000_000.0,
        updated_at=1_800_000_002.5,
        searchable_at=1_800_000_002.25,
        history=("1800000000.0 RECEIVED +1", "1800000002.25 SEARCHABLE 3"),
    )
    return replace(row, **changes)


ADA = principal(Role.EDITOR, "acme", frozenset({"staff"}))
"""An editor of the group `staff`."""


def service(*records: DocumentRecord, kind: type[DocumentsService] = DocumentsService) -> DocumentsService:
    """The service over a shelf with these records, whose receipts are `0...0`, `0...1` and so on."""
    ledger, objects, clock, count = ShelfLedger(), ShelfObjects(), ManualClock(), itertools.count()
    ledger.add(records)
    erasure = ErasureService(
        ledger=ledger,
        tenants=InMemoryTenants(),
        objects=objects,  # type: ignore[arg-type]
        versions=MemoryVersions(MemoryBucket()),
        texts=MemoryErasableTexts(),
        receipts=MemoryReceipts(),
        now=clock.now,
        new_id=lambda: f"{next(count):032x}",
    )
    return kind(
        ledger=ledger,  # type: ignore[arg-type]
        objects=objects,  # type: ignore[arg-type]
        erasure=erasure,
        upload_max_bytes=1_000,
        upload_expires_s=900,
        download_expires_s=300,
    )
