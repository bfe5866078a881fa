"""The tenants' records in DynamoDB."""

from collections.abc import Iterator, Mapping
from typing import Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_settings import MOST_COUNTED, MOST_SEARCHES, bounded_setting, setting, text
from haylift.domain.documents import Epoch
from haylift.ports.search import TenantCount

FIRST_GENERATION = "g1"


class DynamoDbTenants:
    """Reads the tenants' table (key `tenant`); `content_version` is raised by the ledger's activations.

    Args:
        table_name: the tenants' table.
        client: a `dynamodb` client.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._table_name = table_name
        self._client = client

    def epoch(self, tenant: str) -> Epoch:
        """The tenant's epoch, strongly consistent; a tenant without a record is at version 0."""
        return epoch_of(self._item(tenant))

    def searches_per_minute(self, tenant: str) -> int | None:
        """The tenant's own limit of searches by user; None without one that can be read."""
        return limit_of(self._item(tenant))

    def _item(self, tenant: str) -> Mapping[str, Any]:
        with translated("tenants table"):
            answer: Mapping[str, Any] = self._client.get_item(
                TableName=self._table_name, Key={"tenant": {"S": tenant}}, ConsistentRead=True
            )
        item: Mapping[str, Any] = answer.get("Item", {})
        return item

    def count(self, tenant: str) -> TenantCount | None:
        """One tenant's count, strongly consistent; None before its first document."""
        item = self._item(tenant)
        return _count_of(item) if item else None

    def counts(self) -> tuple[TenantCount, ...]:
        """Every tenant with a `documents` count, by name; eventually consistent.

        Reads the whole table: about 100 bytes a tenant, so that 1,000 tenants cost 12.5 read units, with one
        heartbeat a minute 18,000 a day or about $0.002. The count is never below 0 here: a document that
        was live before there was a count lowers it when it goes.
        """
        found = [_count_of(item) for page in self._pages() for item in page["Items"]]
        return tuple(sorted((count for count in found if count is not None), key=lambda count: count.tenant))

    def _pages(self) -> Iterator[dict[str, Any]]:
        request = {
            "TableName": self._table_name,
            "ProjectionExpression": "#tenant, #generation, #documents",
            "ExpressionAttributeNames": {
                "#tenant": "tenant",
                "#generation": "generation",
                "#documents": "documents",
            },
        }
        start: dict[str, Any] = {}
        while True:
            with translated("tenants table"):
                page: dict[str, Any] = self._client.scan(**request, **start)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _count_of(item: Mapping[str, Mapping[str, Any]]) -> TenantCount | None:
    """None for a row without documents, such as the one of the flags."""
    if "documents" not in item:
        return None
    return TenantCount(
        tenant=item["tenant"]["S"],
        generation=epoch_of(item).generation,
        documents=bounded_setting(item, "documents", default=0, most=MOST_COUNTED),
    )


def limit_of(item: Mapping[str, Mapping[str, Any]]) -> int | None:
    """The tenant's own limit that an item holds, 0 to 100,000; None: the stage's limit holds."""
    return setting(item, "searches_per_minute", default=None, most=MOST_SEARCHES)


def epoch_of(item: Mapping[str, Mapping[str, Any]]) -> Epoch:
    """The epoch that a tenant's item holds; what cannot be read in it is as at first."""
    return Epoch(
        generation=text(item, "generation", default=FIRST_GENERATION),
        content_version=setting(item, "content_version", default=0, most=MOST_COUNTED, takes_part=True),
    )
