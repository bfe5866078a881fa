"""Users in a DynamoDB table with the partition key `username` (S)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Role
from haylift.ports.identity import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = Mapping[str, AttributeValueTypeDef]


class DynamoDbUsers:
    """The directory of users (`ports.Users`)."""

    def __init__(self, table_name: str, client: DynamoDBClient) -> None:
        self._table_name = table_name
        self._client = client

    def get(self, username: str) -> User | None:
        """The user, strongly consistent; None for a name that no key can be."""
        if not username:
            return None
        with translated("users table"):
            answer = self._client.get_item(
                TableName=self._table_name, Key={"username": {"S": username}}, ConsistentRead=True
            )
        return user_from_item(answer["Item"]) if "Item" in answer else None

    def put(self, user: User, *, must_be_new: bool = False) -> None:
        """Writes the whole row. Raises InvalidInput `user_exists` when it must be new and is not."""
        if not must_be_new:
            with translated("users table"):
                self._client.put_item(TableName=self._table_name, Item=_to_item(user))
            return
        try:
            with translated("users table"):
                self._client.put_item(
                    TableName=self._table_name,
                    Item=_to_item(user),
                    ConditionExpression="attribute_not_exists(username)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as fault:
            if not _is_refused(fault):
                raise
            if not _is_own_write(fault, user):
                raise InvalidInput(
                    "There is a user of that name.", code="user_exists", where="username"
                ) from fault

    def set_password_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        """Replaces the hash if it still is `old_hash`; otherwise does nothing. Keeps the stamp."""
        try:
            with translated("users table"):
                self._client.update_item(
                    TableName=self._table_name,
                    Key={"username": {"S": username}},
                    UpdateExpression="SET password_hash = :new",
                    ConditionExpression="password_hash = :old",
                    ExpressionAttributeValues={":old": {"S": old_hash}, ":new": {"S": new_hash}},
                )
        except ClientError as fault:
            if not _is_refused(fault):
                raise

    def replace_stamp(self, username: str, old_stamp: str, new_stamp: str) -> None:
        """Replaces the stamp if it still is `old_stamp`; otherwise does nothing."""
        try:
            with translated("users table"):
                self._client.update_item(
                    TableName=self._table_name,
                    Key={"username": {"S": username}},
                    UpdateExpression="SET stamp = :new",
                    ConditionExpression="stamp = :old",
                    ExpressionAttributeValues={":old": {"S": old_stamp}, ":new": {"S": new_stamp}},
                )
        except ClientError as fault:
            if not _is_refused(fault):
                raise

    def list(self, tenant: str | None = None) -> tuple[User, ...]:
        """All users, or a tenant's, by name; reads the whole table, for operators only."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table_name, ConsistentRead=True)
        with translated("users table"):
            users = [user_from_item(item) for page in pages for item in page["Items"]]
        chosen = [user for user in users if tenant is None or user.tenant == tenant]
        return tuple(sorted(chosen, key=lambda user: user.username))

    def check(self) -> None:
        """Asks the table whether it answers, by one cheap read."""
        self.get("-")


def _to_item(user: User) -> dict[str, AttributeValueTypeDef]:
    return {
        "username": {"S": user.username},
        "tenant": {"S": user.tenant},
        "role": {"S": user.role.value},
        "password_hash": {"S": user.password_hash},
        "groups": {"L": [{"S": group} for group in sorted(user.groups)]},
        "is_disabled": {"BOOL": user.is_disabled},
        "stamp": {"S": user.stamp},
    }


def user_from_item(item: Item) -> User:
    """The user whose row `item` is."""
    return User(
        username=item["username"]["S"],
        tenant=item["tenant"]["S"],
        role=Role(item["role"]["S"]),
        password_hash=item["password_hash"]["S"],
        groups=frozenset(group["S"] for group in item["groups"]["L"]),
        is_disabled=item["is_disabled"]["BOOL"],
        stamp=item["stamp"]["S"],
    )


def _is_refused(fault: ClientError) -> bool:
    return error_code(fault) == "ConditionalCheckFailedException"


def _is_own_write(fault: ClientError, user: User) -> bool:
    """True when the SDK repeated a write whose answer was lost: the row in the way is ours."""
    found = cast("Item | None", fault.response.get("Item"))
    return found is not None and user_from_item(found) == user
