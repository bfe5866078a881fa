"""A ledger and lanes in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from haylift.domain.documents import (
    DocumentRecord,
    DocumentState,
    Epoch,
    Lane,
    LiveRevision,
    earliest_expiry,
)
from haylift.domain.errors import InvalidInput, OutOfTurn
from haylift.domain.events import IngestionOrder, ObjectEvent, ObjectEventKind
from haylift.domain.history import MAX_CHANGES, changed_line, claimed_line
from haylift.domain.listing import DocumentFilter
from haylift.ports.ingestion import (
    EVERY_DOCUMENT,
    Claim,
    ClaimTerms,
    DocumentPage,
)

from tests.fakes.cache import InMemoryTenants
from tests.fakes.identity import ManualClock


@dataclass
class MemoryLedger:
    """`Ledger` over a dictionary; `notes_whatever_is_known` makes it a wrong one."""

    clock: ManualClock = field(default_factory=ManualClock)
    tenants: InMemoryTenants = field(default_factory=InMemoryTenants)
    rows: dict[tuple[str, str], DocumentRecord] = field(default_factory=dict)
    finished_by: dict[tuple[str, str], str] = field(default_factory=dict)
    notes_whatever_is_known: bool = False

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        return self.rows.get((tenant, document_id))

    def list(
        self, tenant: str, *, limit: int, cursor: str | None = None, wanted: DocumentFilter = EVERY_DOCUMENT
    ) -> DocumentPage:
        rows = [row for row in self.rows.values() if row.tenant == tenant and wanted.matches(row)]
        rows.sort(key=lambda row: (row.updated_at, row.document_id), reverse=True)
        places = [f"{row.updated_at}/{row.document_id}" for row in rows]
        if cursor is not None and cursor not in places:
            raise InvalidInput("This cursor is not from an earlier page.", code="invalid_cursor")
        start = places.index(cursor) + 1 if cursor else 0
        page = rows[start : start + limit]
        has_more = start + limit < len(rows)
        return DocumentPage(documents=tuple(page), cursor=places[start + limit - 1] if has_more else None)

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        rows = (self.rows.get((tenant, document_id)) for document_id in document_ids)
        return {
            row.document_id: LiveRevision(
                row.live_revision, claimed_groups=row.claimed_groups, expires_at=_expiry(row)
            )
            for row in rows
            if row and row.live_revision and not 0 < _expiry(row) <= self.clock.now()
        }

    def claim(
        self,
        event: ObjectEvent,
        version_id: str,
        *,
        lane: Lane,
        groups: frozenset[str] | None = None,
        terms: ClaimTerms | None = None,
    ) -> Claim:
        tenant, document_id = event.key.tenant, event.key.document_id
        row = self.rows.get((tenant, document_id))
        if row and row.sequencer >= event.sequencer:
            return Claim(record=row, is_new=False)
        is_check = event.kind is ObjectEventKind.CHECK and version_id != "null"
        is_sure = bool(version_id) or (row is not None and row.state is not DocumentState.INDEXING)
        is_sure = is_sure or self.notes_whatever_is_known
        if row and is_check and is_sure and row.version_id == version_id:
            return Claim(record=self._put(replace(row, sequencer=event.sequencer)), is_new=False)
        if row and terms and row.revision != terms.seen_revision:
            return Claim(record=row, is_new=False)
        known = row or DocumentRecord(
            tenant=tenant,
            document_id=document_id,
            key=event.key.object_key,
            sequencer="",
            revision=0,
            state=DocumentState.RECEIVED,
        )
        now = self.clock.now()
        claimed = replace(
            known,
            sequencer=event.sequencer,
            revision=known.revision + 1 + event.above_revision,
            content_digest="" if event.kind is ObjectEventKind.REBUILD else known.content_digest,
            live_model="" if event.kind is ObjectEventKind.REBUILD else known.live_model,
            resends=0,
            state=DocumentState.RECEIVED,
            version_id=version_id,
            event_version_id=event.version_id,
            request_id=event.request_id,
            claimed_groups=known.claimed_groups if groups is None else groups,
            expires_at=terms.expires_at if terms else known.expires_at,
            lane=lane,
            changed_at=event.occurred_at or now,
            received_at=now,
            updated_at=now,
            reason="",
            stage="",
            percent=0,
            attempts=0,
            handovers=0,
            lease_owner="",
            lease_until=0.0,
            history=(*known.history, claimed_line(now, step=1 + event.above_revision))[-MAX_CHANGES:],
        )
        self.finished_by.pop((tenant, document_id), None)
        if terms and terms.changes_readers:
            self._raise_content(tenant)
        return Claim(record=self._put(claimed), is_new=True)

    def open_count(self, tenant: str, lane: Lane, limit: int) -> int:
        rows = (row for row in self.rows.values() if (row.tenant, row.lane) == (tenant, lane))
        return min(limit, sum(not row.state.is_final for row in rows))

    def take_lease(
        self, tenant: str, document_id: str, revision: int, owner: str, lease_s: float
    ) -> DocumentRecord:
        row = self.rows.get((tenant, document_id))
        now = self.clock.now()
        if row and row.revision == revision and not row.state.is_final:
            if row.lease_owner == owner:
                return row
            if not row.lease_owner or row.lease_until < now:
                return self._put(
                    replace(
                        row,
                        state=DocumentState.INDEXING,
                        attempts=row.attempts + 1,
                        lease_owner=owner,
                        lease_until=now + lease_s,
                        updated_at=now,
                        history=_changed(row, DocumentState.INDEXING, now)[-MAX_CHANGES:],
                    )
                )
        raise self._refused(row, revision)

    def progress(self, record: DocumentRecord, *, stage: str, percent: int, lease_s: float) -> DocumentRecord:
        row = self._owned(record)
        now = self.clock.now()
        return self._put(
            replace(
                row,
                stage=stage,
                percent=percent,
                draft=record.draft,
                quarantine_key=record.quarantine_key,
                lease_until=now + lease_s,
                updated_at=now,
            )
        )

    def release(self, record: DocumentRecord) -> None:
        row = self.rows.get((record.tenant, record.document_id))
        if row and _is_owner(row, record):
            given_back = replace(
                row,
                state=DocumentState.RECEIVED,
                attempts=record.attempts,
                handovers=record.handovers,
                lease_owner="",
                lease_until=0.0,
                history=_changed(row, DocumentState.RECEIVED, self.clock.now()),
            )
            self._put(given_back)

    def activate(self, record: DocumentRecord, *, live_revision: int) -> Epoch:
        row = self._owned(record)
        if row.live_revision != live_revision:
            self._put(
                replace(
                    _described(row, record),
                    live_revision=live_revision,
                    live_version_id=record.version_id if live_revision else "",
                    live_expires_at=record.expires_at if live_revision else 0,
                    updated_at=self.clock.now(),
                )
            )
            counts = self.tenants.documents
            change = bool(live_revision) - bool(row.live_revision)
            counts[record.tenant] = counts.get(record.tenant, 0) + change
            self._raise_content(record.tenant)
        return self.tenants.epoch(record.tenant)

    def finish(self, record: DocumentRecord, state: DocumentState) -> DocumentRecord:
        place = record.tenant, record.document_id
        known = self.rows.get(place)
        if known and known.revision == record.revision and self.finished_by.get(place) == record.lease_owner:
            return known
        row = _described(self._owned(record), record)
        now = self.clock.now()
        self.finished_by[place] = record.lease_owner
        return self._put(
            replace(
                row,
                state=state,
                reason=record.reason,
                stage="",
                percent=100,
                lease_owner="",
                lease_until=0.0,
                updated_at=now,
                searchable_at=now if state is DocumentState.SEARCHABLE else row.searchable_at,
                live_version_id=row.version_id if state is DocumentState.SEARCHABLE else row.live_version_id,
                live_expires_at=record.expires_at
                if state is DocumentState.SEARCHABLE
                else row.live_expires_at,
                history=_changed(row, state, now, record.reason),
                **(_erasure(row, now) if state is DocumentState.DELETED else {}),
            )
        )

    def check(self) -> None:
        """A dictionary always answers."""

    def _raise_content(self, tenant: str) -> None:
        epoch = self.tenants.epoch(tenant)
        self.tenants.epochs[tenant] = replace(epoch, content_version=epoch.content_version + 1)

    def _put(self, row: DocumentRecord) -> DocumentRecord:
        self.rows[row.tenant, row.document_id] = row
        return row

    def _owned(self, record: DocumentRecord) -> DocumentRecord:
        row = self.rows.get((record.tenant, record.document_id))
        if row and _is_owner(row, record):
            return row
        raise self._refused(row, record.revision)

    def _refused(self, row: DocumentRecord | None, revision: int) -> OutOfTurn:
        is_over = row is None or row.revision != revision or row.state.is_final
        return OutOfTurn("not this worker's turn", superseded=is_over)


def _expiry(row: DocumentRecord) -> int:
    return earliest_expiry(row.expires_at, row.live_expires_at)


def _erasure(row: DocumentRecord, now: float) -> dict[str, Any]:
    return {
        "erased_version_id": row.event_version_id,
        "erased_revision": row.revision,
        "erased_at": now,
    }


def _changed(row: DocumentRecord, state: DocumentState, at: float, reason: str = "") -> tuple[str, ...]:
    return (*row.history, changed_line(state, revision=row.revision, at=at, reason=reason))


def _is_owner(row: DocumentRecord, record: DocumentRecord) -> bool:
    return bool(row.lease_owner) and (row.revision, row.lease_owner) == (record.revision, record.lease_owner)


def _described(row: DocumentRecord, record: DocumentRecord) -> DocumentRecord:
    return replace(
        row,
        title=record.title,
        media_type=record.media_type,
        content_digest=record.content_digest,
        chunk_count=record.chunk_count,
        chunks_digest=record.chunks_digest,
        live_model=record.live_model,
        version_id=record.version_id,
        size_bytes=record.size_bytes,
        access_groups=record.access_groups,
        expires_at=record.expires_at,
        partial_detail=record.partial_detail,
        quarantine_key=record.quarantine_key,
    )


@dataclass
class MemoryLanes:
    """`Lanes` as one list of what was sent."""

    sent: list[tuple[Lane, IngestionOrder]] = field(default_factory=list)

    def send(self, lane: Lane, order: IngestionOrder) -> None:
        self.sent.append((lane, order))
