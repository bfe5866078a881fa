"""Flags, tenants' limits and ratings as rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_flags import DynamoDbFlags
from haylift.adapters.dynamodb_ratings import DynamoDbRatings
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.domain.documents import Epoch
from haylift.domain.errors import StoreUnavailable
from haylift.domain.flags import Flags
from haylift.domain.identity import is_tenant_name
from haylift.ports.limits import FlagStore, Rating, Ratings
from moto import mock_aws

from tests.fakes.limits import MemoryFlags, MemoryRatings

RATING = Rating(
    tenant="acme",
    subject="ann",
    kind="answer",
    rated_request_id="request-1",
    rating=4,
    comment="Good \N{GRINNING FACE}",
    at=1_800_000_000.5,
)


def _key(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": kind}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        made = make_client("dynamodb")
        tenant = {"AttributeName": "tenant", "AttributeType": "S"}
        made.create_table(
            TableName="tenants",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[tenant],
            KeySchema=[_key("tenant", "HASH")],
        )
        made.create_table(
            TableName="feedback",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[tenant, {"AttributeName": "rating_id", "AttributeType": "S"}],
            KeySchema=[_key("tenant", "HASH"), _key("rating_id", "RANGE")],
        )
        yield made


class FlagStorePromises:
    """Inherit and give a fixture `store`."""

    def test_at_first_nothing_is_set(self, store: FlagStore) -> None:
        assert store.read() == Flags(keyword_only=False, shed_percent=0)

    def test_what_is_written_is_read(self, store: FlagStore) -> None:
        store.write(Flags(keyword_only=True, shed_percent=25))
        both = store.read()
        store.write(Flags(shed_percent=5))

        assert both == Flags(keyword_only=True, shed_percent=25)
        assert store.read() == Flags(keyword_only=False, shed_percent=5)


class TestDynamoDbFlags(FlagStorePromises):
    @pytest.fixture
    def store(self, client: Any) -> FlagStore:
        return DynamoDbFlags("tenants", client)


class TestMemoryFlags(FlagStorePromises):
    @pytest.fixture
    def store(self) -> FlagStore:
        return MemoryFlags()


class RatingsPromises:
    """Inherit and give a fixture `ratings`."""

    def test_the_last_rating_of_a_user_stays(self, ratings: Ratings) -> None:
        first = ratings.put(RATING)
        second = ratings.put(replace(RATING, rating=1))

        assert (first, second) == (True, False)

    @pytest.mark.parametrize(
        "change", [{"tenant": "globex"}, {"subject": "bob"}, {"rated_request_id": "request-2"}]
    )
    def test_others_and_other_requests_are_apart(self, ratings: Ratings, change: dict[str, str]) -> None:
        ratings.put(RATING)

        assert ratings.put(replace(RATING, **change)) is True  # type: ignore[arg-type]  # a test names the field


class TestDynamoDbRatings(RatingsPromises):
    @pytest.fixture
    def ratings(self, client: Any) -> Ratings:
        return DynamoDbRatings("feedback", client)


class TestMemoryRatings(RatingsPromises):
    @pytest.fixture
    def ratings(self) -> Ratings:
        return MemoryRatings()


def test_a_rating_is_a_row(client: Any) -> None:
    DynamoDbRatings("feedback", client).put(RATING)

    (item,) = client.scan(TableName="feedback")["Items"]
    assert item == {
        "tenant": {"S": "acme"},
        "rating_id": {"S": RATING.rating_id},
        "subject": {"S": "ann"},
        "kind": {"S": "answer"},
        "rated_request_id": {"S": "request-1"},
        "rating": {"N": "4"},
        "comment": {"S": "Good \N{GRINNING FACE}"},
        "at": {"N": "1800000000.5"},
        "expires_at": {"N": "1834560001"},
    }


def test_names_that_run_together_are_not_the_same_rating() -> None:
    one = replace(RATING, subject="ann", rated_request_id="b-request")
    other = replace(RATING, subject="annb", rated_request_id="-request")

    assert one.rating_id != other.rating_id


def test_no_tenant_can_have_the_name_of_the_flags() -> None:
    assert not is_tenant_name("#flags")


@pytest.mark.parametrize(("written", "read"), [("-5", 0), ("250", 100)])
def test_a_share_written_by_other_hands_is_bounded(client: Any, written: str, read: int) -> None:
    item = {"tenant": {"S": "#flags"}, "shed_percent": {"N": written}}
    client.put_item(TableName="tenants", Item=item)

    assert DynamoDbFlags("tenants", client).read() == Flags(shed_percent=read)


def test_a_tenant_has_its_own_limit_or_none(client: Any) -> None:
    tenants = DynamoDbTenants("tenants", client)
    client.put_item(
        TableName="tenants",
        Item={"tenant": {"S": "acme"}, "searches_per_minute": {"N": "600"}, "content_version": {"N": "3"}},
    )
    client.put_item(TableName="tenants", Item={"tenant": {"S": "globex"}})

    limits = [tenants.searches_per_minute(tenant) for tenant in ("acme", "globex", "unknown")]

    assert limits == [600, None, None]
    assert tenants.epoch("acme") == Epoch(generation="g1", content_version=3)


def test_tables_that_do_not_answer_are_said_so(client: Any) -> None:
    def fail(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")

    client.meta.events.register("before-call.dynamodb", fail)
    flags = DynamoDbFlags("tenants", client)

    for call in (
        flags.read,
        lambda: flags.write(Flags()),
        lambda: DynamoDbRatings("feedback", client).put(RATING),
        lambda: DynamoDbTenants("tenants", client).searches_per_minute("acme"),
    ):
        with pytest.raises(StoreUnavailable):
            call()
