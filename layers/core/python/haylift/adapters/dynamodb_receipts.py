"""Receipts of deletions in DynamoDB: key `tenant`, sort key `receipt_id`, TTL `expires_at`."""

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.adapters.dynamodb_rows import attribute, from_item, to_item
from haylift.domain.receipts import Receipt


class DynamoDbReceipts:
    """Implements `Receipts`.

    Args:
        table_name: the receipts' table.
        client: a `dynamodb` client.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._table_name = table_name
        self._client = client

    def put(self, receipt: Receipt) -> None:
        """Keeps a new receipt."""
        with translated("receipts table"):
            self._client.put_item(TableName=self._table_name, Item=to_item(receipt))

    def get(self, tenant: str, receipt_id: str) -> Receipt | None:
        """The tenant's receipt, strongly consistent."""
        with translated("receipts table"):
            answer = self._client.get_item(
                TableName=self._table_name,
                Key={"tenant": attribute(tenant), "receipt_id": attribute(receipt_id)},
                ConsistentRead=True,
            )
        return from_item(Receipt, answer["Item"]) if "Item" in answer else None

    def verify(self, receipt: Receipt, at: float) -> Receipt:
        """Notes the time once; gives the receipt as it stands."""
        with translated("receipts table"):
            try:
                self._client.update_item(
                    TableName=self._table_name,
                    Key={
                        "tenant": attribute(receipt.tenant),
                        "receipt_id": attribute(receipt.receipt_id),
                    },
                    UpdateExpression="SET verified_at = :at",
                    ConditionExpression="verified_at = :never",
                    ExpressionAttributeValues={":at": attribute(at), ":never": attribute(0.0)},
                )
            except ClientError as fault:
                if error_code(fault) != "ConditionalCheckFailedException":
                    raise
                return self.get(receipt.tenant, receipt.receipt_id) or receipt
        return replace(receipt, verified_at=at)
