"""Refresh tokens in a DynamoDB table: partition key `token_hash` (S), TTL attribute `expires_at` (N).

Beside its tokens a family has one row, `family#<id>`. It must be there and unrevoked for any of its
tokens to be known, so that one write ends the whole family, tokens under way included.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.ports.identity import RefreshToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = Mapping[str, AttributeValueTypeDef]


class DynamoDbRefreshTokens:
    """Stored refresh tokens (`ports.RefreshTokens`); DynamoDB drops expired rows within days."""

    def __init__(self, table_name: str, client: DynamoDBClient) -> None:
        self._table_name = table_name
        self._client = client

    def put(self, token: RefreshToken) -> None:
        """Stores a token and keeps its family's row at least as long. Revives no revoked family."""
        with translated("tokens table"):
            self._client.update_item(
                TableName=self._table_name,
                Key=_key(_family_row(token.family)),
                UpdateExpression="SET expires_at = :expires_at",
                ExpressionAttributeValues={":expires_at": _ttl(token.expires_at)},
            )
            self._client.put_item(TableName=self._table_name, Item=_to_item(token))

    def get(self, token_hash: str) -> RefreshToken | None:
        """The token; None when unknown or revoked. Strongly consistent."""
        item = self._read(token_hash)
        if item is None or "family" not in item:
            return None
        family = self._read(_family_row(item["family"]["S"]))
        if family is None or "revoked" in family:
            return None
        return _from_item(item)

    def find(self, token_hash: str) -> RefreshToken | None:
        """The token, revoked or not; None when unknown. Strongly consistent."""
        item = self._read(token_hash)
        return None if item is None or "family" not in item else _from_item(item)

    def mark_used(self, token_hash: str, at: float) -> bool:
        """Marks the token as used; False when it already was, or is gone."""
        try:
            with translated("tokens table"):
                self._client.update_item(
                    TableName=self._table_name,
                    Key=_key(token_hash),
                    UpdateExpression="SET used_at = :at",
                    ConditionExpression="used_at = :never",
                    ExpressionAttributeValues={":at": {"N": repr(at)}, ":never": {"N": "0"}},
                )
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def count_reuse(self, token_hash: str) -> int:
        """Counts one more use of a used token: 1 for the first, never the same number twice; 0 when gone."""
        try:
            with translated("tokens table"):
                answer = self._client.update_item(
                    TableName=self._table_name,
                    Key=_key(token_hash),
                    UpdateExpression="ADD reuses :one",
                    ConditionExpression="attribute_exists(token_hash)",
                    ExpressionAttributeValues={":one": {"N": "1"}},
                    ReturnValues="UPDATED_NEW",
                )
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            return 0
        return int(answer["Attributes"]["reuses"]["N"])

    def revoke_family(self, family: str) -> None:
        """Makes every token of the family unknown, those still being written too."""
        with translated("tokens table"):
            self._client.update_item(
                TableName=self._table_name,
                Key=_key(_family_row(family)),
                UpdateExpression="SET revoked = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )

    def _read(self, row: str) -> Item | None:
        with translated("tokens table"):
            answer = self._client.get_item(TableName=self._table_name, Key=_key(row), ConsistentRead=True)
        return answer.get("Item")


def _key(row: str) -> dict[str, AttributeValueTypeDef]:
    return {"token_hash": {"S": row}}


def _family_row(family: str) -> str:
    return f"family#{family}"


def _ttl(moment: float) -> AttributeValueTypeDef:
    """Whole epoch seconds, as DynamoDB's time to live wants them."""
    return {"N": str(math.ceil(moment))}


def _to_item(token: RefreshToken) -> dict[str, AttributeValueTypeDef]:
    return {
        **_key(token.token_hash),
        "family": {"S": token.family},
        "username": {"S": token.username},
        "user_stamp": {"S": token.user_stamp},
        "expires_at": _ttl(token.expires_at),
        "used_at": {"N": repr(token.used_at) if token.used_at else "0"},
    }


def _from_item(item: Item) -> RefreshToken:
    return RefreshToken(
        token_hash=item["token_hash"]["S"],
        family=item["family"]["S"],
        username=item["username"]["S"],
        user_stamp=item["user_stamp"]["S"],
        expires_at=float(item["expires_at"]["N"]),
        used_at=float(item["used_at"]["N"]),
    )
