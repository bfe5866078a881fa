"""Workers that meet at one row at the same time, on threads and connections of their own."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_rows import Update
from haylift.domain.documents import DocumentRecord, Lane
from haylift.domain.errors import OutOfTurn

from tests.contract.ledger.events import KEY, event
from tests.contract.ledger.lost_answers import lose_next_answer
from tests.contract.ledger.tables import LEDGER, TENANTS

WORKERS = 6
ROUNDS = 3


BACKENDS = ("dynamodb-local",)
"""moto checks and writes without a lock between."""


def claims_of_all_workers(
    ledger_of: type[DynamoDbLedger], rounds: int, *, seed: int
) -> tuple[DocumentRecord, int]:
    """Every worker claims all events in an order of its own, and loses an answer now and then."""
    sequencers = [f"{number:04x}" for number in range(1, rounds * 4)]

    def work(worker: int) -> int:
        chance = random.Random(f"{seed}/{worker}")
        client = make_client("dynamodb")
        ledger = ledger_of(LEDGER, TENANTS, client)
        known = 0
        for sequencer in chance.sample(sequencers, len(sequencers)):
            if chance.random() < 0.2:
                lose_next_answer(client, "UpdateItem")
            known = max(
                known, ledger.claim(event(sequencer), sequencer, lane=Lane.INTERACTIVE).record.revision
            )
        client.close()
        return known

    with ThreadPoolExecutor(WORKERS) as pool:
        known = max(pool.map(work, range(WORKERS)))
    row = DynamoDbLedger(LEDGER, TENANTS, make_client("dynamodb")).get("acme", KEY.document_id)
    assert row is not None
    assert row.sequencer == event(sequencers[-1]).sequencer
    assert row.version_id == sequencers[-1]
    assert row.revision == known
    return row, len(sequencers)


def test_the_newest_event_wins_whoever_brings_it(client: Any) -> None:
    row, events = claims_of_all_workers(DynamoDbLedger, ROUNDS, seed=1)

    assert 1 <= row.revision <= events


class Unconditional(DynamoDbLedger):
    """Believes that it comes in order."""

    def _update(self, update: Update) -> Any:
        anything = "attribute_exists(#tenant) OR attribute_not_exists(#tenant)"
        return super()._update(replace(update, condition=f"({update.condition}) OR {anything}"))


def the_newest_event_wins_each_time(ledger_of: type[DynamoDbLedger]) -> None:
    for seed in range(6):
        claims_of_all_workers(ledger_of, ROUNDS, seed=seed)


def test_claims_without_a_condition_fail_the_same_check(client: Any) -> None:
    # The last of all writes is the newest event's by chance, once in eleven times.
    with pytest.raises(AssertionError):
        the_newest_event_wins_each_time(Unconditional)


def test_one_of_many_workers_gets_the_lease_and_one_count(client: Any) -> None:
    ledger = DynamoDbLedger(LEDGER, TENANTS, client)
    ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    def take(worker: int) -> str:
        own = make_client("dynamodb")
        if worker % 2:
            lose_next_answer(own, "UpdateItem")
        try:
            owner = f"worker-{worker}"
            return (
                DynamoDbLedger(LEDGER, TENANTS, own)
                .take_lease("acme", KEY.document_id, 1, owner, 150)
                .lease_owner
            )
        except OutOfTurn:
            return ""
        finally:
            own.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        holders = [owner for owner in pool.map(take, range(WORKERS)) if owner]

    row = ledger.get("acme", KEY.document_id)
    assert row is not None
    assert holders == [row.lease_owner]
    assert row.attempts == 1
