"""Looking through the ledger and correcting the tenants' table in DynamoDB, and notes of long tasks."""

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_ledger_reads import BATCH_GET_KEYS, BUSY_TRIES, OPEN_DOCUMENTS, LedgerReader
from haylift.adapters.dynamodb_ledger_rows import item_key, row_key
from haylift.adapters.dynamodb_rows import Update, attribute, from_item
from haylift.adapters.dynamodb_tenants import FIRST_GENERATION, DynamoDbTenants
from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import StoreUnavailable
from haylift.ports.maintenance import RowPage

NOTES_ROW = "#task-"
"""Begins the key of a row that no tenant can have."""


class DynamoDbInventory(LedgerReader):
    """Implements `LedgerInventory`.

    Args:
        table_name: the ledger's table.
        client: a `dynamodb` client.
        now, sleep: the clock, epoch seconds, and its way to wait.
    """

    def __init__(
        self,
        table_name: str,
        client: Any,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(table_name, client, now=now, sleep=sleep)

    def rows(self, tenant: str, *, after: str = "", limit: int = 100) -> tuple[DocumentRecord, ...]:
        """All rows in the order of document ids, strongly consistent; about 1 kB each."""
        request: dict[str, Any] = {
            "TableName": self._table_name,
            "KeyConditionExpression": "tenant = :tenant",
            "ExpressionAttributeValues": {":tenant": attribute(tenant)},
            "ConsistentRead": True,
            "Limit": limit,
        }
        start = item_key(tenant, after) if after else None
        rows: list[DocumentRecord] = []
        # A page ends at 1 MB too; it is short only at the tenant's end.
        for page in self._pages(request, start):
            rows += [from_item(DocumentRecord, item) for item in page["Items"]]
            if len(rows) >= limit:
                break
        return tuple(rows[:limit])

    def rows_of(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, DocumentRecord]:
        """The rows of these documents, strongly consistent; those without one are absent."""
        found: dict[str, DocumentRecord] = {}
        for ids in batched(dict.fromkeys(document_ids), BATCH_GET_KEYS, strict=False):
            keys = [item_key(tenant, document_id) for document_id in ids]
            for item in self._items(keys):
                record = from_item(DocumentRecord, item)
                found[record.document_id] = record
        return found

    def _items(self, keys: list[Any]) -> Iterable[Mapping[str, Any]]:
        for attempt in range(BUSY_TRIES):
            request = {self._table_name: {"Keys": keys, "ConsistentRead": True}}
            with translated("ledger"):
                answer = self._client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(self._table_name, ())
            keys = answer.get("UnprocessedKeys", {}).get(self._table_name, {}).get("Keys", [])
            if not keys:
                return
            self._pause(attempt)
        raise StoreUnavailable("The ledger is busy and left reads undone.")

    def open_rows(self, tenant: str, *, cursor: str | None = None, limit: int = 100) -> RowPage:
        """Rows that are RECEIVED or INDEXING, by the sparse index; it may be a second old."""
        request: dict[str, Any] = {
            "TableName": self._table_name,
            "IndexName": OPEN_DOCUMENTS,
            "KeyConditionExpression": "open_tenant = :tenant",
            "ExpressionAttributeValues": {":tenant": attribute(tenant)},
            "Limit": limit,
        }
        if cursor:
            lane, document_id = cursor.split(" ")
            place = {"open_tenant": attribute(tenant), "lane": attribute(lane)}
            request["ExclusiveStartKey"] = item_key(tenant, document_id) | place
        with translated("ledger"):
            page = self._client.query(**request)
        ids = [item["document_id"]["S"] for item in page["Items"]]
        rows = self.rows_of(tenant, ids)
        last = page.get("LastEvaluatedKey")
        return RowPage(
            rows=tuple(row for name in ids if (row := rows.get(name)) and not row.state.is_final),
            cursor=f"{last['lane']['S']} {last['document_id']['S']}" if last else None,
        )

    def note_resend(self, record: DocumentRecord) -> None:
        """Notes that the row's order was sent once more, unless the row has changed."""
        update = Update(
            key=row_key(record.tenant, record.document_id),
            condition="#revision = :revision AND #updated_at = :updated_at",
            assign={"resends": record.resends + 1, "resent_at": self._now()},
            values={"revision": record.revision, "updated_at": record.updated_at},
        )
        with translated("ledger"):
            try:
                self._client.update_item(**update.request(self._table_name))
            except self._client.exceptions.ConditionalCheckFailedException:
                return


class DynamoDbTotals(DynamoDbTenants):
    """Implements `TenantTotals`; takes the same arguments as `DynamoDbTenants`."""

    def correct_count(self, tenant: str, documents: int, *, content_version: int) -> bool:
        """Sets the number of documents, unless something was made live or hidden meanwhile."""
        held = "#content_version = :content_version"
        update = Update(
            key={"tenant": tenant},
            condition=held if content_version else f"(attribute_not_exists(#content_version) OR {held})",
            assign={"documents": documents},
            values={"content_version": content_version, "generation": FIRST_GENERATION},
        )
        request = update.request(self._table_name)
        request["UpdateExpression"] += ", #generation = if_not_exists(#generation, :generation)"
        request["ExpressionAttributeNames"]["#generation"] = "generation"
        with translated("tenants table"):
            try:
                self._client.update_item(**request)
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True


class DynamoDbNotes:
    """Implements `TaskNotes` in rows of the tenants' table whose names no tenant can have.

    Args:
        table_name: the tenants' table (key `tenant`).
        client: a `dynamodb` client.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._table_name = table_name
        self._client = client

    def read(self, task: str) -> str:
        """What was noted last, strongly consistent; empty: nothing."""
        key = {"tenant": {"S": f"{NOTES_ROW}{task}"}}
        with translated("tenants table"):
            answer = self._client.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        return str(answer.get("Item", {}).get("note", {}).get("S", ""))

    def write(self, task: str, text: str) -> None:
        """Notes it."""
        item = {"tenant": {"S": f"{NOTES_ROW}{task}"}, "note": {"S": text}}
        with translated("tenants table"):
            self._client.put_item(TableName=self._table_name, Item=item)
