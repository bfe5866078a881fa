"""The tenant's number of documents is that of its live rows, whatever is repeated, lost or late."""

import random
from dataclasses import replace
from typing import Any

import pytest
from haylift.adapters import dynamodb_ledger as dynamodb_ledger_module
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_rows import Update
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.domain.documents import DocumentKey, DocumentState, Lane
from haylift.domain.errors import OutOfTurn, StoreUnavailable
from haylift.ports import Ledger, TenantCount, TenantCounts

from tests.contract.ledger.events import KEY, event, leased, searchable
from tests.contract.ledger.lost_answers import lose_next_answer
from tests.contract.ledger.tables import LEDGER, TENANTS
from tests.fakes.identity import ManualClock
from tests.fakes.ingestion import MemoryLedger

KEYS = [DocumentKey("acme", f"{number}.md") for number in range(3)] + [DocumentKey("globex", "1.md")]


@pytest.fixture
def counts(ledger: Ledger, request: pytest.FixtureRequest) -> TenantCounts:
    if isinstance(ledger, MemoryLedger):
        return ledger.tenants
    return DynamoDbTenants(TENANTS, request.getfixturevalue("client"))


def of(counts: TenantCounts, tenant: str = "acme") -> int:
    return next((count.documents for count in counts.counts() if count.tenant == tenant), 0)


def test_a_document_counts_from_its_activation_to_its_removal(ledger: Ledger, counts: TenantCounts) -> None:
    before = of(counts)
    searchable(ledger)
    shown = of(counts)
    record = leased(ledger, "02", owner="worker-2")
    ledger.activate(record, live_revision=0)

    assert (before, shown, of(counts)) == (0, 1, 0)


def test_a_replacement_does_not_count_again(ledger: Ledger, counts: TenantCounts) -> None:
    searchable(ledger, "01")
    searchable(ledger, "02")

    assert of(counts) == 1


def test_a_document_that_was_never_seen_does_not_count_when_it_is_hidden(
    ledger: Ledger, counts: TenantCounts
) -> None:
    record = leased(ledger)

    ledger.activate(record, live_revision=0)
    ledger.finish(record, DocumentState.REJECTED)

    assert of(counts) == 0


def test_a_repeated_activation_counts_once(ledger: Ledger, counts: TenantCounts) -> None:
    record = leased(ledger)
    for _ in range(3):
        ledger.activate(record, live_revision=1)

    assert of(counts) == 1


def test_a_record_that_is_behind_its_row_counts_right(ledger: Ledger, counts: TenantCounts) -> None:
    stale = leased(ledger)
    ledger.activate(stale, live_revision=1)

    ledger.activate(stale, live_revision=0)

    assert of(counts) == 0
    assert ledger.live_revisions("acme", [KEY.document_id]) == {}


def test_tenants_are_counted_apart(ledger: Ledger, counts: TenantCounts) -> None:
    for key in KEYS:
        searchable(ledger, key=key)

    assert counts.counts() == (
        TenantCount(tenant="acme", generation="g1", documents=3),
        TenantCount(tenant="globex", generation="g1", documents=1),
    )


def test_a_lost_answer_counts_once(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    record = leased(dynamodb_ledger)
    lose_next_answer(client, "TransactWriteItems")

    dynamodb_ledger.activate(record, live_revision=1)
    lose_next_answer(client, "TransactWriteItems")
    dynamodb_ledger.activate(replace(record, live_revision=1), live_revision=0)

    assert of(DynamoDbTenants(TENANTS, client)) == 0
    assert client.scan(TableName=TENANTS)["Items"][0]["documents"] == {"N": "0"}


def the_count_is_that_of_the_live_rows(ledger: DynamoDbLedger, client: Any, seed: int) -> None:
    """Workers claim, show, hide, repeat themselves with old records, and lose answers."""
    chance = random.Random(seed)
    records = []
    for step in range(24):
        key = chance.choice(KEYS)
        if not records or chance.random() < 0.4:
            claimed = ledger.claim(event(f"{step + 1:02x}", key=key), "v", lane=Lane.INTERACTIVE).record
            taken = ledger.take_lease(key.tenant, key.document_id, claimed.revision, f"worker-{step}", 150)
            records.append(taken)
        if chance.random() < 0.2:
            lose_next_answer(client, "TransactWriteItems")
        record = chance.choice(records[-4:])
        try:
            ledger.activate(record, live_revision=chance.choice((0, record.revision)))
        except OutOfTurn:
            continue
    rows = client.scan(TableName=LEDGER)["Items"]
    live = [row["tenant"]["S"] for row in rows if row.get("live_revision", {}).get("N", "0") != "0"]
    stored = {
        row["tenant"]["S"]: int(row["documents"]["N"]) for row in client.scan(TableName=TENANTS)["Items"]
    }
    assert stored == {tenant: live.count(tenant) for tenant in stored}


SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_count_is_that_of_the_live_rows(dynamodb_ledger: DynamoDbLedger, client: Any, seed: int) -> None:
    the_count_is_that_of_the_live_rows(dynamodb_ledger, client, seed)


def test_a_count_by_the_workers_own_record_fails_the_same_check(
    dynamodb_ledger: DynamoDbLedger, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = dynamodb_ledger_module.activation

    def without_before(*args: Any, **named: Any) -> Update:
        update = right(*args, **named)
        first, _, last = update.condition.partition(" AND (attribute_not_exists(#live_revision)")
        head = first if last else update.condition.partition(" AND #live_revision = :before")[0]
        values = {name: value for name, value in update.values.items() if name != "before"}
        return replace(update, condition=f"{head} AND NOT #live_revision = :live_revision", values=values)

    monkeypatch.setattr(dynamodb_ledger_module, "activation", without_before)

    with pytest.raises(AssertionError):
        the_count_is_that_of_the_live_rows(dynamodb_ledger, client, 0)


def test_rows_without_documents_are_no_tenants_and_a_count_is_never_below_zero(client: Any) -> None:
    client.put_item(TableName=TENANTS, Item={"tenant": {"S": "#flags"}, "shed_percent": {"N": "5"}})
    client.put_item(
        TableName=TENANTS,
        Item={"tenant": {"S": "old"}, "generation": {"S": "g2"}, "documents": {"N": "-2"}},
    )

    assert DynamoDbTenants(TENANTS, client).counts() == (
        TenantCount(tenant="old", generation="g2", documents=0),
    )


def test_all_pages_are_read(client: Any) -> None:
    names = [f"tenant-{number:03}" for number in range(30)]
    for name in names:
        item = {"tenant": {"S": name}, "documents": {"N": "1"}, "note": {"S": "x" * 100_000}}
        client.put_item(TableName=TENANTS, Item=item)

    assert [count.tenant for count in DynamoDbTenants(TENANTS, client).counts()] == names


def test_a_table_that_does_not_answer_is_unavailable(client: Any, clock: ManualClock) -> None:
    fault = client.exceptions.ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "Scan")

    def fail(**_: Any) -> None:
        raise fault

    client.meta.events.register("before-call.dynamodb.Scan", fail)

    with pytest.raises(StoreUnavailable):
        DynamoDbTenants(TENANTS, client).counts()
