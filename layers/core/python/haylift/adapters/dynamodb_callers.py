"""Access tokens that were logged out, as rows `revoked#<jti>` of the tokens table, and their reading."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from haylift.adapters.aws import translated
from haylift.adapters.dynamodb_users import user_from_item
from haylift.domain.errors import StoreUnavailable
from haylift.ports.identity import CallerRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_READS = 3
"""DynamoDB may leave a key of a batch unread when it is throttled; it is asked for again at once."""


class DynamoDbRevocations:
    """Logged-out access tokens (`ports.Revocations`); needs `dynamodb:PutItem`."""

    def __init__(self, tokens_table: str, client: DynamoDBClient) -> None:
        self._tokens_table = tokens_table
        self._client = client

    def revoke(self, token_id: str, until: float) -> None:
        """Writes the row; a second time changes nothing. DynamoDB drops it some time after `until`."""
        row = {"token_hash": {"S": _row(token_id)}, "expires_at": {"N": str(math.ceil(until))}}
        with translated("tokens table"):
            self._client.put_item(TableName=self._tokens_table, Item=row)


class DynamoDbCallers:
    """The rows that decide about a token (`ports.Callers`); needs `dynamodb:BatchGetItem` on both tables."""

    def __init__(self, users_table: str, tokens_table: str, client: DynamoDBClient) -> None:
        self._users_table = users_table
        self._tokens_table = tokens_table
        self._client = client

    def read(self, username: str, token_id: str) -> CallerRows:
        """Both rows in one strongly consistent request. A row that stays unread is no answer.

        Raises:
            StoreUnavailable: a retry helps; nobody is let in on half of the truth.
        """
        wanted: dict[str, Any] = {
            self._users_table: {"Keys": [{"username": {"S": username}}], "ConsistentRead": True},
            self._tokens_table: {
                "Keys": [{"token_hash": {"S": _row(token_id)}}],
                "ConsistentRead": True,
                "ProjectionExpression": "token_hash",
            },
        }
        found: dict[str, list[Any]] = {}
        for _ in range(MAX_READS):
            with translated("users and tokens tables"):
                answer = self._client.batch_get_item(RequestItems=wanted)
            for table, items in answer["Responses"].items():
                found[table] = [*found.get(table, []), *items]
            wanted = dict(answer.get("UnprocessedKeys") or {})
            if not wanted:
                return self._rows(found)
        raise StoreUnavailable("The users and tokens tables do not answer.")

    def _rows(self, found: dict[str, list[Any]]) -> CallerRows:
        users = found.get(self._users_table)
        return CallerRows(
            user=user_from_item(users[0]) if users else None, is_revoked=bool(found.get(self._tokens_table))
        )


def _row(token_id: str) -> str:
    return f"revoked#{token_id}"
