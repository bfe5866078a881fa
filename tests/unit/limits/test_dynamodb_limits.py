"""The login limit's row, its races and its faults, at the border of the AWS SDK."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_limits import DynamoDbRateLimiter
from haylift.domain.errors import StoreUnavailable
from haylift.ports.limits import Allowance, Limit, RateLimiter
from moto import mock_aws

from tests.fakes.identity import ManualClock
from tests.unit.limits.promises import RateLimiterPromises

TOKENS = "tokens"
TEN = Limit(requests=10)
ADDRESS = "192.0.2.7"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        made = make_client("dynamodb")
        made.create_table(
            TableName=TOKENS,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "token_hash", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "token_hash", "KeyType": "HASH"}],
        )
        yield made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(client: Any, clock: ManualClock) -> DynamoDbRateLimiter:
    return DynamoDbRateLimiter(TOKENS, client, clock)


class TestDynamoDbRateLimiter(RateLimiterPromises):
    @pytest.fixture
    def limiter(self, client: Any, clock: ManualClock) -> RateLimiter:
        return DynamoDbRateLimiter(TOKENS, client, clock)


def row(client: Any, address: str = ADDRESS) -> dict[str, Any]:
    answer = client.get_item(TableName=TOKENS, Key={"token_hash": {"S": f"login#{address}"}})
    item: dict[str, Any] = answer.get("Item", {})
    return item


def test_ten_are_let_in_and_the_eleventh_is_told_when(
    limiter: DynamoDbRateLimiter, clock: ManualClock
) -> None:
    admitted = []
    for _ in range(11):
        admitted.append(limiter.take(ADDRESS, TEN))
        clock.advance(1.0)

    assert [one.is_allowed for one in admitted] == [True] * 10 + [False]
    assert [one.remaining for one in admitted] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert admitted[-1] == Allowance(
        limit=TEN, is_allowed=False, remaining=0, reset_after_s=50.0, retry_after_s=50.0
    )


def test_the_window_slides(limiter: DynamoDbRateLimiter, clock: ManualClock) -> None:
    for _ in range(10):
        limiter.take(ADDRESS, TEN)
        clock.advance(5.0)

    at_the_edge = []
    for wait_s in (9.999, 0.001, 0.0):
        clock.advance(wait_s)
        at_the_edge.append(limiter.take(ADDRESS, TEN).is_allowed)

    assert at_the_edge == [False, True, False]


def test_addresses_do_not_share_a_limit(limiter: DynamoDbRateLimiter) -> None:
    one = Limit(requests=1)

    assert [limiter.take(address, one).is_allowed for address in (ADDRESS, "2001:db8::1", ADDRESS)] == [
        True,
        True,
        False,
    ]


def test_a_row_ends_by_itself_after_its_window(limiter: DynamoDbRateLimiter, client: Any) -> None:
    limiter.take(ADDRESS, TEN)

    assert row(client) == {
        "token_hash": {"S": "login#192.0.2.7"},
        "entries_us": {"L": [{"N": "1800000000000000"}]},
        "version": {"N": "1"},
        "expires_at": {"N": "1800000120"},
    }


def test_a_refusal_writes_nothing(limiter: DynamoDbRateLimiter, client: Any) -> None:
    limiter.take(ADDRESS, Limit(requests=1))
    before = row(client)

    limiter.take(ADDRESS, Limit(requests=1))

    assert row(client) == before


def test_a_row_that_its_time_to_live_took_begins_anew(
    limiter: DynamoDbRateLimiter, client: Any, clock: ManualClock
) -> None:
    limiter.take(ADDRESS, TEN)
    clock.advance(200.0)
    events = client.meta.events
    key = {"token_hash": {"S": f"login#{ADDRESS}"}}

    def expire(**_: Any) -> None:
        events.unregister("before-call.dynamodb.UpdateItem", expire)
        client.delete_item(TableName=TOKENS, Key=key)

    events.register("before-call.dynamodb.UpdateItem", expire)

    assert limiter.take(ADDRESS, TEN).remaining == 9
    assert row(client)["version"] == {"N": "1"}


def test_a_write_that_came_between_is_counted_in(
    limiter: DynamoDbRateLimiter, client: Any, clock: ManualClock
) -> None:
    other = DynamoDbRateLimiter(TOKENS, client, clock)
    events = client.meta.events

    def come_between(**_: Any) -> None:
        events.unregister("before-call.dynamodb.UpdateItem", come_between)
        other.take(ADDRESS, Limit(requests=1))

    events.register("before-call.dynamodb.UpdateItem", come_between)

    assert limiter.take(ADDRESS, Limit(requests=1)).is_allowed is False
    assert len(row(client)["entries_us"]["L"]) == 1


def test_without_an_end_of_writes_between_it_refuses(limiter: DynamoDbRateLimiter, client: Any) -> None:
    attempts = []

    def change_always(**_: Any) -> None:
        attempts.append(1)
        client.put_item(
            TableName=TOKENS,
            Item={
                "token_hash": {"S": f"login#{ADDRESS}"},
                "entries_us": {"L": []},
                "version": {"N": str(1_000 + len(attempts))},
            },
        )

    client.meta.events.register("before-call.dynamodb.UpdateItem", change_always)

    allowance = limiter.take(ADDRESS, TEN)

    assert (allowance.is_allowed, allowance.remaining, allowance.retry_after_s) == (False, 0, 1.0)
    assert len(attempts) == 11


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_a_table_that_does_not_answer_is_said_so(
    limiter: DynamoDbRateLimiter, client: Any, operation: str
) -> None:
    def fail(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")

    client.meta.events.register(f"before-call.dynamodb.{operation}", fail)

    with pytest.raises(StoreUnavailable):
        limiter.take(ADDRESS, TEN)
