"""The ledger in DynamoDB: every write is conditional, and a lost answer is recognised by reading back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.adapters.dynamodb_ledger_reads import BUSY_TRIES, LedgerReader
from haylift.adapters.dynamodb_ledger_rows import (
    activation,
    claim_update,
    description,
    erasure,
    next_content,
    note,
    owned_update,
    record_of,
    refused,
    row_key,
    text_of,
)
from haylift.adapters.dynamodb_rows import Item, Update, Value, attribute, from_item
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.domain.documents import DocumentRecord, DocumentState, Epoch, Lane
from haylift.domain.errors import StoreUnavailable
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.history import MAX_CHANGES, changed_line
from haylift.ports.ingestion import Claim, ClaimTerms

TOMBSTONE_S = 30 * 86_400
"""A tombstone outlives the lane queue's retention (14 days) and a redrive of dead letters after it."""

UNVERSIONED = "null"
"""The version id of every object in a bucket without versions: it says nothing about the bytes."""


class DynamoDbLedger(LedgerReader):
    """Document rows (key `tenant`, `document_id`) beside the tenants' content versions.

    `forget_at` (time to live) is present only on tombstones, `open_tenant` only while work is open.

    Args:
        table_name: the ledger's table.
        tenants_table_name: where activations raise `content_version`.
        client: a `dynamodb` client.
        now, sleep: the clock, epoch seconds, and its way to wait.
    """

    def __init__(
        self,
        table_name: str,
        tenants_table_name: str,
        client: Any,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(table_name, client, now=now, sleep=sleep)
        self._tenants_table_name = tenants_table_name
        self._tenants = DynamoDbTenants(tenants_table_name, client)

    def claim(
        self,
        event: ObjectEvent,
        version_id: str,
        *,
        lane: Lane,
        groups: frozenset[str] | None = None,
        terms: ClaimTerms | None = None,
    ) -> Claim:
        """Claims the event by its sequencer: a new revision in state RECEIVED, unless it is late.

        A `CHECK` that finds the version which the row already has only notes its sequencer. Terms that
        change the readers raise the tenant's content version in the same transaction.
        """
        if event.kind is ObjectEventKind.CHECK and version_id != UNVERSIONED:
            noted = self._note(event, version_id)
            if noted:
                return Claim(record=noted, is_new=False)
        update = claim_update(event, version_id, lane=lane, groups=groups, terms=terms, now=self._now())
        if terms and terms.changes_readers:
            is_new, row = self._claim_beside_content(update, event.key.tenant)
        else:
            is_new, row = self._update(update)
        if row is None:
            raise StoreUnavailable("The ledger refused a claim and shows no row.")
        record = from_item(DocumentRecord, row)
        return Claim(record=self._bounded(record) if is_new else record, is_new=is_new)

    def _claim_beside_content(self, update: Update, tenant: str) -> tuple[bool, Item | None]:
        """Whether it was claimed, and the row: as it is now, or as it stood against the claim."""
        standing = self._transact([{"Update": update.request(self._table_name)}, self._next_content(tenant)])
        if standing is not None:
            return False, standing or None
        with translated("ledger"):
            answer = self._client.get_item(
                TableName=self._table_name,
                Key={name: attribute(value) for name, value in update.key.items()},
                ConsistentRead=True,
            )
        return True, answer.get("Item")

    def _note(self, event: ObjectEvent, version_id: str) -> DocumentRecord | None:
        """Moves the sequencer only; None when the row may come to another version or does not exist."""
        is_noted, row = self._update(note(event, version_id))
        record = from_item(DocumentRecord, row) if row else None
        if record is None or record.version_id != version_id:
            return None
        return record if is_noted or record.sequencer >= event.sequencer else None

    def take_lease(
        self, tenant: str, document_id: str, revision: int, owner: str, lease_s: float
    ) -> DocumentRecord:
        """Takes the revision's lease, counts the attempt and sets INDEXING. Raises `OutOfTurn`.

        `owner` must be new for each attempt: it is how a lost answer is recognised.
        """
        now = self._now()
        free = "(attribute_not_exists(#lease_owner) OR #lease_until < :now)"
        update = Update(
            key=row_key(tenant, document_id),
            condition=f"#revision = :revision AND #state IN (:received, :state) AND {free}",
            assign={
                "state": DocumentState.INDEXING,
                "lease_owner": owner,
                "lease_until": now + lease_s,
                "updated_at": now,
            },
            add={"attempts": 1},
            append=_changed(DocumentState.INDEXING, revision, now),
            values={"revision": revision, "now": now, "received": DocumentState.RECEIVED},
        )
        is_taken, row = self._update(update)
        if is_taken or (row and _holds(record_of(row), revision, owner)):
            return self._bounded(record_of(row))
        raise refused(row, revision)

    def progress(self, record: DocumentRecord, *, stage: str, percent: int, lease_s: float) -> DocumentRecord:
        """Renews the lease and shows where the work stands. Raises `OutOfTurn`."""
        now = self._now()
        shown: dict[str, Value] = {
            "stage": stage,
            "percent": percent,
            "draft": record.draft,
            "quarantine_key": record.quarantine_key,
            "lease_until": now + lease_s,
            "updated_at": now,
        }
        is_ours, row = self._update(owned_update(record, shown))
        if not is_ours:
            raise refused(row, record.revision)
        return record_of(row)

    def release(self, record: DocumentRecord) -> None:
        """Gives the lease back with the record's counts; nothing if it is another's."""
        now = self._now()
        given_back: dict[str, Value] = {
            "state": DocumentState.RECEIVED,
            "attempts": record.attempts,
            "handovers": record.handovers,
            "updated_at": now,
        }
        update = owned_update(record, given_back, remove=("lease_owner", "lease_until"))
        self._update(replace(update, append=_changed(DocumentState.RECEIVED, record.revision, now)))

    def activate(self, record: DocumentRecord, *, live_revision: int) -> Epoch:
        """In one transaction: what readers see, and the tenant's content version and number of documents.

        The record's title, media type, digest, chunk count and version travel with it: they
        describe what is live. Safe to repeat. Raises `OutOfTurn`.
        """
        standing = self._activate(record, live_revision, before=record.live_revision)
        before = record_of(standing).live_revision if standing else 0
        if standing and before not in {record.live_revision, live_revision}:
            # The caller's record is older than its row; only the lease holder changes what is live, so that
            # the row stands still now.
            standing = self._activate(record, live_revision, before=before)
        if standing is not None and not _is_active(standing, record, live_revision):
            raise refused(standing, record.revision)
        return self._tenants.epoch(record.tenant)

    def _activate(self, record: DocumentRecord, live_revision: int, *, before: int) -> Item | None:
        """None when it was written; else the row as it stood against it, such as with another `before`."""
        changes = activation(record, live_revision, before=before, now=self._now())
        content = self._next_content(record.tenant, bool(live_revision) - bool(before))
        return self._transact([{"Update": changes.request(self._table_name)}, content])

    def _next_content(self, tenant: str, documents: int = 0) -> dict[str, Any]:
        return {"Update": next_content(tenant, documents).request(self._tenants_table_name)}

    def finish(self, record: DocumentRecord, state: DocumentState) -> DocumentRecord:
        """Writes a final state with the record's title, digest, counts and reason; drops the lease.

        Raises `OutOfTurn`. DELETED rows become tombstones that outlive queue retention and redrive.
        """
        now = self._now()
        written = description(record) | {
            "state": state,
            "reason": record.reason,
            "stage": "",
            "percent": 100,
            "finished_by": record.lease_owner,
            "updated_at": now,
        }
        if state is DocumentState.SEARCHABLE:
            written |= {
                "searchable_at": now,
                "live_version_id": record.version_id,
                "live_expires_at": record.expires_at,
            }
        if state is DocumentState.DELETED:
            written |= erasure(record, now) | {"forget_at": int(now) + TOMBSTONE_S}
        update = owned_update(record, written, remove=("lease_owner", "lease_until", "open_tenant"))
        change = _changed(state, record.revision, now, record.reason)
        is_ours, row = self._update(replace(update, append=change))
        if not is_ours and not (row and text_of(row, "finished_by") == record.lease_owner):
            raise refused(row, record.revision)
        return record_of(row)

    def _bounded(self, record: DocumentRecord) -> DocumentRecord:
        """Cuts a history that has grown too long, unless it has changed again; the row as it is then."""
        if len(record.history) <= MAX_CHANGES:
            return record
        kept = record.history[-MAX_CHANGES:]
        update = Update(
            key=row_key(record.tenant, record.document_id),
            condition="#history = :seen",
            assign={"history": kept},
            values={"seen": record.history},
        )
        self._update(update)
        return replace(record, history=kept)

    def _update(self, update: Update) -> tuple[bool, Item | None]:
        """Whether the condition held, and the row: as it is now, or as it stood against the write."""
        request = update.request(self._table_name) | {"ReturnValues": "ALL_NEW"}
        with translated("ledger"):
            try:
                return True, self._client.update_item(**request)["Attributes"]
            except ClientError as fault:
                if error_code(fault) != "ConditionalCheckFailedException":
                    raise
                return False, fault.response.get("Item")  # type: ignore[return-value]  # not in the stubs

    def _transact(self, writes: Sequence[dict[str, Any]]) -> Item | None:
        """None when it was written; the first row as it stood against the write otherwise."""
        # All activations of a tenant meet in its one row: with 12 workers a conflict is normal.
        for attempt in range(BUSY_TRIES):
            with translated("ledger"):
                try:
                    self._client.transact_write_items(TransactItems=writes)
                    return None
                except self._client.exceptions.TransactionCanceledException as fault:
                    reason = fault.response["CancellationReasons"][0]
                    if reason["Code"] == "ConditionalCheckFailed":
                        return reason.get("Item") or {}
            self._pause(attempt)
        raise StoreUnavailable("The tenant's row is busy; its content version was not raised.")


def _changed(state: DocumentState, revision: int, at: float, reason: str = "") -> dict[str, tuple[str, ...]]:
    return {"history": (changed_line(state, revision=revision, at=at, reason=reason),)}


def _holds(row: DocumentRecord, revision: int, owner: str) -> bool:
    return row.revision == revision and row.lease_owner == owner


def _is_active(item: Item, record: DocumentRecord, live_revision: int) -> bool:
    row = record_of(item) if item else None
    return (
        row is not None
        and _holds(row, record.revision, record.lease_owner)
        and row.live_revision == live_revision
    )
