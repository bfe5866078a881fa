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
        with translated("tenants table"):
            answer = self._client.get_item(
                TableName=self._table_name, Key={"tenant": {"S": tenant}}, ConsistentRead=True
            )
        return epoch_of(answer.get("Item", {}))


def epoch_of(item: Mapping[str, Mapping[str, Any]]) -> Epoch:
    """The epoch that a tenant's item holds."""
    return Epoch(
        generation=item.get("generation", {}).get("S", FIRST_GENERATION),
        content_version=int(item.get("content_version", {}).get("N", 0)),
    )
