"""The two tables of the ledger, as the storage stack makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from haylift.adapters.aws import make_client
from moto import mock_aws

LEDGER, TENANTS = "documents", "tenants"


@contextmanager
def dynamodb() -> Iterator[Any]:
    """A client of an emulated DynamoDB with both tables; needs credentials in the environment."""
    with mock_aws():
        client = make_client("dynamodb")
        create_tables(client)
        yield client


def create_tables(client: Any) -> None:
    """Makes both tables."""
    client.create_table(
        TableName=LEDGER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "tenant", "AttributeType": "S"},
            {"AttributeName": "document_id", "AttributeType": "S"},
            {"AttributeName": "updated_at", "AttributeType": "N"},
            {"AttributeName": "open_tenant", "AttributeType": "S"},
            {"AttributeName": "lane", "AttributeType": "S"},
        ],
        KeySchema=_key("tenant", "document_id"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_updated",
                "KeySchema": _key("tenant", "updated_at"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "open_documents",
                "KeySchema": _key("open_tenant", "lane"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )
    client.create_table(
        TableName=TENANTS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "tenant", "AttributeType": "S"}],
        KeySchema=_key("tenant"),
    )


def _key(hash_name: str, range_name: str | None = None) -> list[dict[str, str]]:
    key = [{"AttributeName": hash_name, "KeyType": "HASH"}]
    return [*key, {"AttributeName": range_name, "KeyType": "RANGE"}] if range_name else key
