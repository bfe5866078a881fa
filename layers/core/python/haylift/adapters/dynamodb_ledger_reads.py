"""Reading the ledger in DynamoDB: rows, lists, what is live, how much work is open."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_ledger_rows import decode_cursor, encode_cursor, item_key
from haylift.adapters.dynamodb_rows import Item, attribute, from_item
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import StoreUnavailable
from haylift.ports.ingestion import DocumentPage

BY_UPDATED = "by_updated"
OPEN_DOCUMENTS = "open_documents"

BATCH_GET_KEYS = 100
"""DynamoDB's limit for one BatchGetItem."""

BUSY_TRIES = 8
"""With doubling pauses of at most 20 ms at first, a busy table is given about 2.5 s on average."""


class LedgerReader:
    """Reads document rows (key `tenant`, `document_id`).

    Indexes of the table: `by_updated` (`tenant`, `updated_at`) over all attributes, and the sparse
    `open_documents` (`open_tenant`), whose key is present only while work is open.
    """

    def __init__(
        self, table_name: str, client: Any, *, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._table_name = table_name
        self._client = client
        self._now = now
        self._sleep = sleep

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        """The row, strongly consistent."""
        with translated("ledger"):
            answer = self._client.get_item(
                TableName=self._table_name, Key=item_key(tenant, document_id), ConsistentRead=True
            )
        return from_item(DocumentRecord, answer["Item"]) if "Item" in answer else None

    def list(
        self, tenant: str, *, limit: int, cursor: str | None = None, state: DocumentState | None = None
    ) -> DocumentPage:
        """A page of rows, newest change first; tombstones only when `state` asks for them.

        The index behind it is eventually consistent (in the order of a second).
        """
        rows: list[DocumentRecord] = []
        start = decode_cursor(cursor, tenant) if cursor else None
        for item in self._newest_first(tenant, start, state):
            if len(rows) == limit:
                return DocumentPage(documents=tuple(rows), cursor=encode_cursor(rows[-1]))
            rows.append(from_item(DocumentRecord, item))
        return DocumentPage(documents=tuple(rows))

    def _newest_first(self, tenant: str, start: Item | None, state: DocumentState | None) -> Iterator[Item]:
        request = {
            "TableName": self._table_name,
            "IndexName": BY_UPDATED,
            "KeyConditionExpression": "#tenant = :tenant",
            "FilterExpression": f"#state {'=' if state else '<>'} :state",
            "ExpressionAttributeNames": {"#tenant": "tenant", "#state": "state"},
            "ExpressionAttributeValues": {
                ":tenant": attribute(tenant),
                ":state": attribute(state or DocumentState.DELETED),
            },
            "ScanIndexForward": False,
        }
        for page in self._pages(request, start):
            yield from page["Items"]

    def _pages(self, request: dict[str, Any], start: Item | None = None) -> Iterator[dict[str, Any]]:
        while True:
            with translated("ledger"):
                page = self._client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
            yield page
            start = page.get("LastEvaluatedKey")
            if not start:
                return

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, int]:
        """The live revision by document id, strongly consistent; documents without one are absent."""
        found: dict[str, int] = {}
        for ids in batched(dict.fromkeys(document_ids), BATCH_GET_KEYS, strict=False):
            for item in self._batch_get([item_key(tenant, document_id) for document_id in ids]):
                revision = int(item.get("live_revision", {"N": "0"})["N"])
                if revision:
                    found[item["document_id"]["S"]] = revision
        return found

    def _batch_get(self, keys: Sequence[Item]) -> Iterator[Item]:
        projection = {"ConsistentRead": True, "ProjectionExpression": "document_id, live_revision"}
        for attempt in range(BUSY_TRIES):
            with translated("ledger"):
                answer = self._client.batch_get_item(
                    RequestItems={self._table_name: {"Keys": keys, **projection}}
                )
            yield from answer["Responses"].get(self._table_name, ())
            keys = answer.get("UnprocessedKeys", {}).get(self._table_name, {}).get("Keys", [])
            if not keys:
                return
            self._pause(attempt)
        raise StoreUnavailable("The ledger is busy and left reads undone.")

    def open_count(self, tenant: str, limit: int) -> int:
        """How many of the tenant's documents are RECEIVED or INDEXING, counted up to `limit`."""
        request = {
            "TableName": self._table_name,
            "IndexName": OPEN_DOCUMENTS,
            "KeyConditionExpression": "open_tenant = :tenant",
            "ExpressionAttributeValues": {":tenant": attribute(tenant)},
            "Select": "COUNT",
            "Limit": limit,
        }
        count = 0
        for page in self._pages(request):
            count += page["Count"]
            if count >= limit:
                break
        return min(count, limit)

    def check(self) -> None:
        """Asks the table whether it answers: a read of a row that no tenant can have."""
        self.get("-", "-")

    def _pause(self, attempt: int) -> None:
        self._sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # jitter, no secret
