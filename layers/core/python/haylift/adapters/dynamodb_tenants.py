"""The tenants' records in DynamoDB."""

from collections.abc import Mapping
from typing import Any

from haylift.adapters.aws import translated
from haylift.domain.documents import Epoch

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
        """The tenant's own limit of searches by user; None without one."""
        own = self._item(tenant).get("searches_per_minute")
        return int(own["N"]) if own else None

    def _item(self, tenant: str) -> Mapping[str, Any]:
        with translated("tenants table"):
            answer: Mapping[str, Any] = self._client.get_item(
                TableName=self._table_name, Key={"tenant": {"S": tenant}}, ConsistentRead=True
            )
        item: Mapping[str, Any] = answer.get("Item", {})
        return item


def epoch_of(item: Mapping[str, Mapping[str, Any]]) -> Epoch:
    """The epoch that a tenant's item holds."""
    return Epoch(
        generation=item.get("generation", {}).get("S", FIRST_GENERATION),
        content_version=int(item.get("content_version", {}).get("N", 0)),
    )
