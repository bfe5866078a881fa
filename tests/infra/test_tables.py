"""Keys and indexes of the tables, which the adapters rely on."""

import pytest

from tests.infra.assembly import Resource, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]


def shape(table: Resource) -> dict[str, object]:
    """Keys with their types, indexes by name, and the attribute that ends a row."""
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}

    def keys(schema: list[dict[str, str]]) -> list[str]:
        return [f"{key['AttributeName']}:{types[key['AttributeName']]}" for key in schema]

    indexes = {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    expires = table.get("TimeToLiveSpecification", {}).get("AttributeName")
    return {"keys": keys(table["KeySchema"]), "indexes": indexes, "expires": expires}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Users", {"keys": ["username:S"], "indexes": {}, "expires": None}),
        (
            "Tokens",
            {"keys": ["token_hash:S"], "indexes": {}, "expires": "expires_at"},
        ),
        ("Feedback", {"keys": ["tenant:S", "rating_id:S"], "indexes": {}, "expires": "expires_at"}),
        ("Receipts", {"keys": ["tenant:S", "receipt_id:S"], "indexes": {}, "expires": "expires_at"}),
        ("Tenants", {"keys": ["tenant:S"], "indexes": {}, "expires": None}),
        (
            "Ledger",
            {
                "keys": ["tenant:S", "document_id:S"],
                "indexes": {
                    "by_updated": (["tenant:S", "updated_at:N"], "ALL"),
                    "open_documents": (["open_tenant:S", "lane:S"], "KEYS_ONLY"),
                },
                "expires": "forget_at",
            },
        ),
    ],
)
def test_tables_have_the_shape_that_adapters_use(name: str, expected: dict[str, object]) -> None:
    tables = {
        logical_id: table for _, logical_id, table in resources(templates("prod"), "AWS::DynamoDB::Table")
    }

    (found,) = [shape(table) for logical_id, table in tables.items() if logical_id.startswith(name)]

    assert found == expected
