"""What the rows that decide about a token promise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_callers import DynamoDbCallers, DynamoDbRevocations
from haylift.adapters.dynamodb_tokens import DynamoDbRefreshTokens
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.domain.errors import StoreUnavailable
from haylift.ports import CallerRows, Callers, RefreshToken, RefreshTokens, Revocations, Users
from moto import mock_aws

from tests.fakes.identity import (
    NOW,
    MemoryCallers,
    MemoryRefreshTokens,
    MemoryRevocations,
    MemoryUsers,
    user,
)


@dataclass
class Rows:
    """The stores that share the two tables."""

    users: Users
    tokens: RefreshTokens
    revocations: Revocations
    callers: Callers


def memory() -> Rows:
    users, revocations = MemoryUsers(), MemoryRevocations()
    return Rows(users, MemoryRefreshTokens(), revocations, MemoryCallers(users, revocations))


def dynamodb() -> Rows:
    client = boto3.client("dynamodb", region_name="eu-central-1")
    for table, key in (("users", "username"), ("tokens", "token_hash")):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return Rows(
        DynamoDbUsers("users", client),
        DynamoDbRefreshTokens("tokens", client),
        DynamoDbRevocations("tokens", client),
        DynamoDbCallers("users", "tokens", client),
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


def a_user_is_read_with_a_good_token(rows: Rows) -> None:
    rows.users.put(user())

    assert rows.callers.read("ada", "token-1") == CallerRows(user=user(), is_revoked=False)


def an_unknown_user_is_none(rows: Rows) -> None:
    assert rows.callers.read("nobody", "token-1") == CallerRows(user=None, is_revoked=False)


def a_revoked_token_is_known_and_no_other(rows: Rows) -> None:
    rows.users.put(user())

    rows.revocations.revoke("token-1", NOW + 960)
    rows.revocations.revoke("token-1", NOW + 960)

    assert rows.callers.read("ada", "token-1").is_revoked is True
    assert rows.callers.read("ada", "token-2").is_revoked is False
    assert rows.callers.read("nobody", "token-1").is_revoked is True


def a_refresh_token_of_the_same_name_is_no_revocation(rows: Rows) -> None:
    rows.tokens.put(
        RefreshToken(token_hash="token-1", family="f", username="ada", user_stamp="s", expires_at=NOW + 100)
    )

    assert rows.callers.read("ada", "token-1").is_revoked is False


def a_revocation_is_no_refresh_token(rows: Rows) -> None:
    rows.revocations.revoke("token-1", NOW)

    assert rows.tokens.get("revoked#token-1") is None
    assert rows.tokens.find("revoked#token-1") is None


def a_stamp_is_replaced_once(rows: Rows) -> None:
    rows.users.put(user(stamp="stamp-1"))

    rows.users.replace_stamp("ada", "stamp-1", "stamp-2")
    rows.users.replace_stamp("ada", "stamp-1", "stamp-3")
    rows.users.replace_stamp("nobody", "stamp-1", "stamp-2")

    assert rows.users.get("ada") == user(stamp="stamp-2")
    assert rows.users.get("nobody") is None


def a_revoked_refresh_token_is_found(rows: Rows) -> None:
    token = RefreshToken(
        token_hash="a" * 64, family="f", username="ada", user_stamp="s", expires_at=NOW + 100
    )
    rows.tokens.put(token)
    rows.tokens.revoke_family("f")

    assert rows.tokens.find("a" * 64) == token
    assert rows.tokens.find("b" * 64) is None
    assert rows.tokens.find("family#f") is None


CHECKS: list[Callable[[Rows], None]] = [
    a_user_is_read_with_a_good_token,
    an_unknown_user_is_none,
    a_revoked_token_is_known_and_no_other,
    a_refresh_token_of_the_same_name_is_no_revocation,
    a_revocation_is_no_refresh_token,
    a_stamp_is_replaced_once,
    a_revoked_refresh_token_is_found,
]


@pytest.mark.parametrize("check", CHECKS)
def test_promise_in_memory(check: Callable[[Rows], None]) -> None:
    check(memory())


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("check", CHECKS)
def test_promise_of_dynamodb(check: Callable[[Rows], None]) -> None:
    check(dynamodb())


class _RevokesAnyone(MemoryRevocations):
    def revoke(self, token_id: str, until: float) -> None:
        super().revoke("token-2", until)


class _AlwaysANewStamp(MemoryUsers):
    def replace_stamp(self, username: str, old_stamp: str, new_stamp: str) -> None:
        self.by_name[username] = user(stamp=new_stamp)


def test_a_broken_store_fails_the_same_checks() -> None:
    users, revocations = _AlwaysANewStamp(), _RevokesAnyone()
    broken = Rows(users, MemoryRefreshTokens(), revocations, MemoryCallers(users, revocations))

    with pytest.raises(AssertionError):
        a_revoked_token_is_known_and_no_other(broken)
    with pytest.raises(AssertionError):
        a_stamp_is_replaced_once(broken)


@pytest.mark.usefixtures("aws")
def test_a_revocation_is_dropped_by_dynamodb_some_time_after_its_token() -> None:
    rows = dynamodb()

    rows.revocations.revoke("token-1", 1_800_000_960.5)

    item = boto3.client("dynamodb", region_name="eu-central-1").get_item(
        TableName="tokens", Key={"token_hash": {"S": "revoked#token-1"}}
    )["Item"]
    assert item == {"token_hash": {"S": "revoked#token-1"}, "expires_at": {"N": "1800000961"}}


@dataclass
class _Batches:
    """The border to DynamoDB: answers with what it is given, in turn."""

    answers: list[dict[str, Any]]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # as the SDK names it
        self.asked.append(RequestItems)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def test_both_rows_are_read_in_one_strongly_consistent_request() -> None:
    client = _Batches([{"Responses": {"users": [], "tokens": []}}])

    DynamoDbCallers("users", "tokens", client).read("ada", "token-1")  # type: ignore[arg-type]

    (asked,) = client.asked
    assert asked["users"] == {"Keys": [{"username": {"S": "ada"}}], "ConsistentRead": True}
    assert asked["tokens"]["Keys"] == [{"token_hash": {"S": "revoked#token-1"}}]
    assert asked["tokens"]["ConsistentRead"] is True


def test_a_row_left_unread_is_asked_for_again() -> None:
    left = {"tokens": {"Keys": [{"token_hash": {"S": "revoked#token-1"}}]}}
    client = _Batches(
        [
            {"Responses": {"users": []}, "UnprocessedKeys": left},
            {"Responses": {"tokens": [{"token_hash": {"S": "revoked#token-1"}}]}},
        ]
    )

    rows = DynamoDbCallers("users", "tokens", client).read("ada", "token-1")  # type: ignore[arg-type]

    assert rows.is_revoked is True
    assert client.asked[1] == left


def test_nobody_is_let_in_on_half_of_the_truth() -> None:
    left = {"tokens": {"Keys": [{"token_hash": {"S": "revoked#token-1"}}]}}
    client = _Batches([{"Responses": {"users": []}, "UnprocessedKeys": left}])

    with pytest.raises(StoreUnavailable):
        DynamoDbCallers("users", "tokens", client).read("ada", "token-1")  # type: ignore[arg-type]

    assert len(client.asked) == 3


def test_tables_that_do_not_answer_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = make_client("dynamodb", attempts=1)

    with pytest.raises(StoreUnavailable):
        DynamoDbCallers("users", "tokens", client).read("ada", "token-1")
    with pytest.raises(StoreUnavailable):
        DynamoDbRevocations("tokens", client).revoke("token-1", NOW)
