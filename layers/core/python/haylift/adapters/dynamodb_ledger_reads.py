"""Reading the ledger in DynamoDB: rows, lists, what is live, how much work is open."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_ledger_lists import decode_cursor, encode_cursor, list_query, place_of
from haylift.adapters.dynamodb_ledger_rows import item_key
from haylift.adapters.dynamodb_rows import Item, attribute, from_item
from haylift.domain.documents import DocumentRecord, Lane, LiveRevision, earliest_expiry
from haylift.domain.errors import StoreUnavailable
from haylift.domain.listing import DocumentFilter
from haylift.ports.ingestion import EVERY_DOCUMENT, DocumentPage

OPEN_DOCUMENTS = "open_documents"

SEEN_BY_READERS = (
    "document_id",
    "live_revision",
    "live_since",
    "expires_at",
    "live_expires_at",
    "claimed_groups",
)
"""What of a row says who sees which revision, and until when."""

LIST_PAGES = 2
"""DynamoDB reads 1 MB for a page before it filters: some 1,000 rows, in the order of 50 ms."""

BATCH_GET_KEYS = 100
"""DynamoDB's limit for one BatchGetItem."""

BUSY_TRIES = 8
"""With doubling pauses of at most 20 ms at first, a busy table is given about 2.5 s on average."""


class LedgerReader:
    """Reads document rows (key `tenant`, `document_id`).

    Indexes of the table: `by_updated` (`tenant`, `updated_at`) over all attributes, and the sparse
    `open_documents` (`open_tenant`, `lane`), whose first key is present only while work is open.
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
        self, tenant: str, *, limit: int, cursor: str | None = None, wanted: DocumentFilter = EVERY_DOCUMENT
    ) -> DocumentPage:
        """A page of rows, newest change first; tombstones only when `wanted` asks for their state.

        The index behind it is eventually consistent (in the order of a second). A filter that few rows
        pass ends a page early, with a cursor, rather than reading a whole tenant for one request.
        """
        rows: list[DocumentRecord] = []
        start = decode_cursor(cursor, tenant) if cursor else None
        request = {"TableName": self._table_name, **list_query(tenant, wanted)}
        for count, page in enumerate(self._pages(request, start), start=1):
            for item in page["Items"]:
                if len(rows) == limit:
                    return DocumentPage(documents=tuple(rows), cursor=encode_cursor(rows[-1]))
                rows.append(from_item(DocumentRecord, item))
            if count == LIST_PAGES and "LastEvaluatedKey" in page:
                return DocumentPage(
                    documents=tuple(rows), cursor=encode_cursor(place_of(page["LastEvaluatedKey"]))
                )
        return DocumentPage(documents=tuple(rows))

    def _pages(self, request: dict[str, Any], start: Item | None = None) -> Iterator[dict[str, Any]]:
        while True:
            with translated("ledger"):
                page = self._client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
            yield page
            start = page.get("LastEvaluatedKey")
            if not start:
                return

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        """The live revision by document id, strongly consistent; documents without one are absent."""
        found: dict[str, LiveRevision] = {}
        for ids in batched(dict.fromkeys(document_ids), BATCH_GET_KEYS, strict=False):
            for item in self._batch_get([item_key(tenant, document_id) for document_id in ids]):
                revision = int(item.get("live_revision", {"N": "0"})["N"])
                expires_at = earliest_expiry(
                    *(int(item.get(name, {"N": "0"})["N"]) for name in ("expires_at", "live_expires_at"))
                )
                # Retention deletes an expired one within the hour; nobody finds it meanwhile.
                if revision and not 0 < expires_at <= self._now():
                    since = float(item.get("live_since", {"N": "0"})["N"])
                    groups = frozenset(one["S"] for one in item.get("claimed_groups", {"L": []})["L"])
                    found[item["document_id"]["S"]] = LiveRevision(revision, since, groups, expires_at)
        return found

    def _batch_get(self, keys: Sequence[Item]) -> Iterator[Item]:
        projection = {
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(SEEN_BY_READERS),
        }
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

    def open_count(self, tenant: str, lane: Lane, limit: int) -> int:
        """How many of the tenant's documents in the lane are RECEIVED or INDEXING, counted up to `limit`."""
        request = {
            "TableName": self._table_name,
            "IndexName": OPEN_DOCUMENTS,
            "KeyConditionExpression": "open_tenant = :tenant AND lane = :lane",
            "ExpressionAttributeValues": {":tenant": attribute(tenant), ":lane": attribute(lane)},
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
