"""What every store of refresh tokens promises."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import boto3
import pytest
from haylift.adapters.dynamodb_tokens import DynamoDbRefreshTokens
from haylift.ports import RefreshToken, RefreshTokens
from moto import mock_aws

from tests.fakes.identity import NOW, MemoryRefreshTokens

TOKEN = RefreshToken(
    token_hash="a" * 64, family="family-1", username="ada", user_stamp="stamp-1", expires_at=NOW + 100
)


@pytest.fixture(params=["memory", "dynamodb"])
def tokens(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RefreshTokens]:
    if request.param == "memory":
        yield MemoryRefreshTokens()
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="tokens",
            KeySchema=[{"AttributeName": "token_hash", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "token_hash", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoDbRefreshTokens("tokens", client)


def an_unknown_token_is_none(tokens: RefreshTokens) -> None:
    assert tokens.get("b" * 64) is None


def a_token_comes_back_as_it_was_put(tokens: RefreshTokens) -> None:
    tokens.put(TOKEN)

    assert tokens.get(TOKEN.token_hash) == TOKEN


def a_token_is_used_once(tokens: RefreshTokens) -> None:
    tokens.put(TOKEN)

    first = tokens.mark_used(TOKEN.token_hash, NOW + 1.25)
    second = tokens.mark_used(TOKEN.token_hash, NOW + 2.5)

    assert (first, second) == (True, False)
    assert tokens.get(TOKEN.token_hash) == replace(TOKEN, used_at=NOW + 1.25)


def an_unknown_token_cannot_be_used(tokens: RefreshTokens) -> None:
    assert tokens.mark_used("b" * 64, NOW) is False
    assert tokens.get("b" * 64) is None


def each_reuse_has_a_number_of_its_own(tokens: RefreshTokens) -> None:
    tokens.put(TOKEN)
    tokens.mark_used(TOKEN.token_hash, NOW + 1)

    numbers = [tokens.count_reuse(TOKEN.token_hash) for _ in range(5)]

    assert numbers == [1, 2, 3, 4, 5]
    assert tokens.get(TOKEN.token_hash) == replace(TOKEN, used_at=NOW + 1)


def an_unknown_token_has_no_reuse(tokens: RefreshTokens) -> None:
    assert tokens.count_reuse("b" * 64) == 0
    assert tokens.find("b" * 64) is None


def a_revoked_family_is_unknown_and_its_neighbour_is_not(tokens: RefreshTokens) -> None:
    sister = replace(TOKEN, token_hash="b" * 64)
    neighbour = replace(TOKEN, token_hash="c" * 64, family="family-2")
    for token in (TOKEN, sister, neighbour):
        tokens.put(token)

    tokens.revoke_family("family-1")

    assert tokens.get(TOKEN.token_hash) is None
    assert tokens.get(sister.token_hash) is None
    assert tokens.get(neighbour.token_hash) == neighbour


def a_token_put_after_its_family_was_revoked_is_unknown(tokens: RefreshTokens) -> None:
    tokens.put(TOKEN)
    tokens.revoke_family("family-1")

    tokens.put(replace(TOKEN, token_hash="b" * 64))

    assert tokens.get("b" * 64) is None


def the_row_of_a_family_is_no_token(tokens: RefreshTokens) -> None:
    tokens.put(TOKEN)

    assert tokens.get("family#family-1") is None


CHECKS: list[Callable[[RefreshTokens], None]] = [
    an_unknown_token_is_none,
    a_token_comes_back_as_it_was_put,
    a_token_is_used_once,
    an_unknown_token_cannot_be_used,
    each_reuse_has_a_number_of_its_own,
    an_unknown_token_has_no_reuse,
    a_revoked_family_is_unknown_and_its_neighbour_is_not,
    a_token_put_after_its_family_was_revoked_is_unknown,
    the_row_of_a_family_is_no_token,
]


@pytest.mark.parametrize("check", CHECKS)
def test_promise(check: Callable[[RefreshTokens], None], tokens: RefreshTokens) -> None:
    check(tokens)


class _UsedAgainAndAgain(MemoryRefreshTokens):
    def mark_used(self, token_hash: str, at: float) -> bool:
        return token_hash in self.by_hash


class _CountsNothing(MemoryRefreshTokens):
    def count_reuse(self, token_hash: str) -> int:
        return 1


class _RevokesWhatItHas(MemoryRefreshTokens):
    """Deletes the tokens it can see: one that is being written escapes."""

    def revoke_family(self, family: str) -> None:
        self.by_hash = {name: token for name, token in self.by_hash.items() if token.family != family}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (_UsedAgainAndAgain, a_token_is_used_once),
        (_CountsNothing, each_reuse_has_a_number_of_its_own),
        (_RevokesWhatItHas, a_token_put_after_its_family_was_revoked_is_unknown),
    ],
)
def test_a_broken_store_fails(
    broken: type[MemoryRefreshTokens], check: Callable[[RefreshTokens], None]
) -> None:
    with pytest.raises(AssertionError):
        check(broken())
