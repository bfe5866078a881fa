"""The ledger's rows: who may change one, and what a refused write says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from haylift.adapters.dynamodb_rows import Item, Update, Value, attribute, from_item
from haylift.adapters.dynamodb_tenants import FIRST_GENERATION
from haylift.domain.documents import DocumentRecord, DocumentState, Lane
from haylift.domain.errors import OutOfTurn
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.history import claimed_line
from haylift.ports.ingestion import ClaimTerms

OURS = "#revision = :revision AND #lease_owner = :lease_owner"
"""Only the lease holder of the newest revision changes a row."""


def row_key(tenant: str, document_id: str) -> dict[str, str]:
    """The key as plain values."""
    return {"tenant": tenant, "document_id": document_id}


def item_key(tenant: str, document_id: str) -> Item:
    """The key as an item."""
    return {name: attribute(value) for name, value in row_key(tenant, document_id).items()}


def owned_update(
    record: DocumentRecord, assign: Mapping[str, Value], *, remove: tuple[str, ...] = ()
) -> Update:
    """A change that only the record's lease holder can make."""
    return Update(
        key=row_key(record.tenant, record.document_id),
        condition=OURS,
        assign=assign,
        remove=remove,
        values={"revision": record.revision, "lease_owner": record.lease_owner},
    )


def note(event: ObjectEvent, version_id: str) -> Update:
    """Moves the sequencer of a row that shows this version already (empty: none), and will.

    A worker that was told of a deletion looks at the key and may be indexing what it found there, while
    its row still shows no version: then that nothing is there now is news.
    """
    is_known = "#version_id = :version_id AND #sequencer < :sequencer"
    at_work: dict[str, Value] = {} if version_id else {"indexing": DocumentState.INDEXING}
    return Update(
        key=row_key(event.key.tenant, event.key.document_id),
        condition=f"{is_known} AND NOT #state = :indexing" if at_work else is_known,
        assign={"sequencer": event.sequencer},
        values={"version_id": version_id, **at_work},
    )


def activation(record: DocumentRecord, live_revision: int, *, before: int, now: float) -> Update:
    """Makes a revision live (0: none), once, if `before` was live until now.

    The tenant's count of documents is changed beside it by what `before` says, so it must be true.
    """
    shown: dict[str, Value] = {
        "live_revision": live_revision,
        "live_version_id": record.version_id if live_revision else "",
        "live_expires_at": record.expires_at if live_revision else 0,
        "live_since": now,
        "updated_at": now,
    }
    update = owned_update(record, description(record) | shown)
    stood = "#live_revision = :before"
    if not before:
        stood = f"(attribute_not_exists(#live_revision) OR {stood})"
    return replace(
        update,
        condition=f"{update.condition} AND {stood} AND NOT #live_revision = :live_revision",
        values={**update.values, "before": before},
    )


def description(record: DocumentRecord) -> dict[str, Value]:
    """What a row says about the file that is live."""
    return {
        "title": record.title,
        "media_type": record.media_type,
        "content_digest": record.content_digest,
        "chunk_count": record.chunk_count,
        "chunks_digest": record.chunks_digest,
        "live_model": record.live_model,
        "version_id": record.version_id,
        "size_bytes": record.size_bytes,
        "access_groups": record.access_groups,
        "expires_at": record.expires_at,
        "partial_detail": record.partial_detail,
        "quarantine_key": record.quarantine_key,
    }


def claim_update(
    event: ObjectEvent,
    version_id: str,
    *,
    lane: Lane,
    groups: frozenset[str] | None,
    terms: ClaimTerms | None,
    now: float,
) -> Update:
    """A new revision in state RECEIVED, unless the event is late or `terms` refuse it."""
    said: dict[str, Value] = {} if groups is None else {"claimed_groups": groups}
    if terms:
        said["expires_at"] = terms.expires_at
    if event.kind is ObjectEventKind.REBUILD:
        said |= {"content_digest": "", "live_model": ""}
    return Update(
        key=row_key(event.key.tenant, event.key.document_id),
        condition=claim_condition(terms),
        values={"seen_revision": terms.seen_revision} if terms and terms.seen_revision else {},
        assign={
            "key": event.key.object_key,
            "sequencer": event.sequencer,
            "state": DocumentState.RECEIVED,
            "version_id": version_id,
            "event_version_id": event.version_id,
            "request_id": event.request_id,
            "lane": lane,
            "open_tenant": event.key.tenant,
            "changed_at": event.occurred_at or now,
            "received_at": now,
            "updated_at": now,
            "reason": "",
            "stage": "",
            "percent": 0,
            "attempts": 0,
            "handovers": 0,
            "resends": 0,
            **said,
        },
        add={"revision": 1 + event.above_revision},
        append={"history": (claimed_line(now, step=1 + event.above_revision),)},
        remove=("lease_owner", "lease_until", "finished_by", "forget_at"),
    )


def next_content(tenant: str, documents: int = 0) -> Update:
    """Raises the tenant's content version and changes its number of live documents by `documents`."""
    return Update(
        key={"tenant": tenant},
        condition="",
        begin={"generation": FIRST_GENERATION},
        add={"content_version": 1, "documents": documents},
    )


def claim_condition(terms: ClaimTerms | None) -> str:
    """An older sequencer, and with `terms` the revision that was seen (`:seen_revision`, unless it is 0)."""
    if terms is None:
        return "attribute_not_exists(#sequencer) OR #sequencer < :sequencer"
    if not terms.seen_revision:
        return "attribute_not_exists(#sequencer)"
    return "#revision = :seen_revision AND #sequencer < :sequencer"


def erasure(record: DocumentRecord, now: float) -> dict[str, Value]:
    """What a tombstone says for the receipts of deletions."""
    return {
        "erased_version_id": record.event_version_id,
        "erased_revision": record.revision,
        "erased_at": now,
    }


def record_of(item: Item | None) -> DocumentRecord:
    """The record of an item that a write gave back."""
    return from_item(DocumentRecord, item or {})


def text_of(item: Item | None, name: str) -> str:
    """A text attribute; empty when there is none."""
    return str((item or {}).get(name, {}).get("S", ""))


def refused(item: Item | None, revision: int) -> OutOfTurn:
    """Why a write of `revision` was refused by the row that stood against it.

    Superseded when the row is gone, final or of another revision; otherwise another worker has the
    lease.
    """
    row = record_of(item) if item else None
    if row is None or row.revision != revision or row.state.is_final:
        return OutOfTurn("The ledger has moved on; nothing is left to do.", superseded=True)
    return OutOfTurn("Another worker has this document; try later.", superseded=False)


def record_of_image(image: Mapping[str, Mapping[str, Any]]) -> DocumentRecord:
    """The record of an image of the table's stream."""
    return from_item(DocumentRecord, image)
