"""What every directory of users promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.domain.errors import InvalidInput, StoreUnavailable
from haylift.domain.identity import Role
from haylift.ports import User, Users
from moto import mock_aws

from tests.fakes.identity import MemoryUsers, user

ADAPTERS = ["memory", "dynamodb"]


@pytest.fixture(params=ADAPTERS)
def users(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    if request.param == "memory":
        yield MemoryUsers()
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="users",
            KeySchema=[{"AttributeName": "username", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "username", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoDbUsers("users", client)


def an_unknown_name_is_none(users: Users) -> None:
    assert users.get("nobody") is None
    assert users.get("") is None


def a_row_comes_back_as_it_was_put(users: Users) -> None:
    ada = user(groups=frozenset({"staff", "legal"}), is_disabled=True, role=Role.ADMIN)

    users.put(ada)

    assert users.get("ada") == ada


def a_row_without_groups_comes_back(users: Users) -> None:
    users.put(user(groups=frozenset()))

    assert users.get("ada") == user(groups=frozenset())


def a_new_row_replaces_no_other(users: Users) -> None:
    users.put(user(), must_be_new=True)

    with pytest.raises(InvalidInput) as refusal:
        users.put(user(tenant="globex"), must_be_new=True)

    assert refusal.value.code == "user_exists"
    assert users.get("ada") == user()


def a_hash_is_replaced_only_if_it_is_still_the_old_one(users: Users) -> None:
    users.put(user(password_hash="second"))

    users.set_password_hash("ada", "first", "third")
    kept = users.get("ada")
    users.set_password_hash("ada", "second", "third")

    assert kept == user(password_hash="second")
    assert users.get("ada") == user(password_hash="third")


def renewing_an_unknown_users_hash_makes_no_row(users: Users) -> None:
    users.set_password_hash("nobody", "first", "second")

    assert users.get("nobody") is None


def lists_are_sorted_and_can_be_a_tenants(users: Users) -> None:
    users.put(user("zoe"))
    users.put(user("ada", tenant="globex"))
    users.put(user("bob"))

    assert [row.username for row in users.list()] == ["ada", "bob", "zoe"]
    assert [row.username for row in users.list("acme")] == ["bob", "zoe"]
    assert users.list("nobody") == ()


def a_working_directory_passes_its_check(users: Users) -> None:
    users.check()


CHECKS: list[Callable[[Users], None]] = [
    an_unknown_name_is_none,
    a_row_comes_back_as_it_was_put,
    a_row_without_groups_comes_back,
    a_new_row_replaces_no_other,
    a_hash_is_replaced_only_if_it_is_still_the_old_one,
    renewing_an_unknown_users_hash_makes_no_row,
    lists_are_sorted_and_can_be_a_tenants,
    a_working_directory_passes_its_check,
]


@pytest.mark.parametrize("check", CHECKS)
def test_promise(check: Callable[[Users], None], users: Users) -> None:
    check(users)


class _AlwaysOverwrites(MemoryUsers):
    def put(self, user: User, *, must_be_new: bool = False) -> None:
        super().put(user)


class _BlindRehash(MemoryUsers):
    def set_password_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        row = self.by_name.get(username) or user(username)
        super().set_password_hash(username, row.password_hash, new_hash)


class _ListsEverybody(MemoryUsers):
    def list(self, tenant: str | None = None) -> tuple[User, ...]:
        return super().list()


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (_AlwaysOverwrites, a_new_row_replaces_no_other),
        (_BlindRehash, a_hash_is_replaced_only_if_it_is_still_the_old_one),
        (_ListsEverybody, lists_are_sorted_and_can_be_a_tenants),
    ],
)
def test_a_broken_directory_fails(broken: type[MemoryUsers], check: Callable[[Users], None]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(broken())


@dataclass
class _RepeatingClient:
    """The SDK after a lost answer: the write is done, its repetition meets the row."""

    client: object

    def put_item(self, **request: object) -> object:
        self.client.put_item(**request)  # type: ignore[attr-defined]
        return self.client.put_item(**request)  # type: ignore[attr-defined]


@mock_aws
def test_a_write_whose_answer_was_lost_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("dynamodb", region_name="eu-central-1")
    client.create_table(
        TableName="users",
        KeySchema=[{"AttributeName": "username", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "username", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    DynamoDbUsers("users", _RepeatingClient(client)).put(user(), must_be_new=True)  # type: ignore[arg-type]

    assert DynamoDbUsers("users", client).get("ada") == user()


def test_a_table_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    users = DynamoDbUsers("users", make_client("dynamodb", attempts=1))

    with pytest.raises(StoreUnavailable):
        users.get("ada")
