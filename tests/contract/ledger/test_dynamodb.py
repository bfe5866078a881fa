"""What only a ledger over a network must get right: lost answers, conflicts, tombstones, its requests."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import TOMBSTONE_S, DynamoDbLedger
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.domain.documents import DocumentRecord, DocumentState, Epoch, Lane
from haylift.domain.errors import OutOfTurn, StoreUnavailable

from tests.contract.ledger.events import KEY, event, leased, searchable
from tests.contract.ledger.lost_answers import lose_next_answer
from tests.contract.ledger.tables import LEDGER, TENANTS
from tests.contract.ledger.test_promises import (
    a_late_claim_changes_nothing,
    only_the_newest_lease_holder_writes,
)
from tests.fakes.identity import ManualClock

WRITES: dict[str, tuple[str, Callable[[DynamoDbLedger, DocumentRecord], object]]] = {
    "progress": ("UpdateItem", lambda ledger, row: ledger.progress(row, stage="x", percent=5, lease_s=150)),
    "activate": ("TransactWriteItems", lambda ledger, row: ledger.activate(row, live_revision=1)),
    "finish": ("UpdateItem", lambda ledger, row: ledger.finish(row, DocumentState.SEARCHABLE)),
    "release": ("UpdateItem", lambda ledger, row: ledger.release(row)),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_is_lost_is_ones_own(
    dynamodb_ledger: DynamoDbLedger, client: Any, name: str
) -> None:
    operation, write = WRITES[name]
    record = leased(dynamodb_ledger)
    expected = write(DynamoDbLedger(LEDGER, TENANTS, client, now=dynamodb_ledger._now), record)
    client.delete_item(TableName=LEDGER, Key={"tenant": {"S": "acme"}, "document_id": {"S": KEY.document_id}})
    client.delete_item(TableName=TENANTS, Key={"tenant": {"S": "acme"}})
    again = leased(dynamodb_ledger)
    lose_next_answer(client, operation)

    answer = write(dynamodb_ledger, again)

    assert answer == expected


def a_claim_whose_answer_is_lost_is_ones_own(ledger: DynamoDbLedger, client: Any) -> None:
    lose_next_answer(client, "UpdateItem")

    claim = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    assert (claim.record.revision, claim.record.state) == (1, DocumentState.RECEIVED)
    assert ledger.get("acme", KEY.document_id) == claim.record


def test_a_claim_whose_answer_is_lost_is_ones_own(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    a_claim_whose_answer_is_lost_is_ones_own(dynamodb_ledger, client)


def a_lease_whose_answer_is_lost_is_ones_own(ledger: DynamoDbLedger, client: Any) -> None:
    ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)
    lose_next_answer(client, "UpdateItem")

    record = ledger.take_lease("acme", KEY.document_id, 1, "worker-1", 150)

    assert (record.lease_owner, record.attempts) == ("worker-1", 1)


def test_a_lease_whose_answer_is_lost_is_ones_own(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    a_lease_whose_answer_is_lost_is_ones_own(dynamodb_ledger, client)


class Forgetful(DynamoDbLedger):
    """Takes every refusal for somebody else's write, as a ledger without `ALL_OLD` must."""

    def _update(self, update: Any) -> Any:
        held, row = super()._update(update)
        return held, row if held else None


@pytest.mark.parametrize(
    "check", [a_claim_whose_answer_is_lost_is_ones_own, a_lease_whose_answer_is_lost_is_ones_own]
)
def test_a_ledger_that_does_not_look_back_fails_the_same_check(
    client: Any, clock: ManualClock, check: Callable[[DynamoDbLedger, Any], None]
) -> None:
    forgetful = Forgetful(LEDGER, TENANTS, client, now=clock.now)

    with pytest.raises((StoreUnavailable, OutOfTurn)):
        check(forgetful, client)


class Unconditional(DynamoDbLedger):
    """Writes whatever the row says."""

    def _update(self, update: Any) -> Any:
        return super()._update(replace(update, condition="", values={}))


@pytest.mark.parametrize("check", [a_late_claim_changes_nothing, only_the_newest_lease_holder_writes])
def test_a_ledger_without_conditions_fails_the_same_check(
    client: Any, clock: ManualClock, check: Callable[[DynamoDbLedger], None]
) -> None:
    unconditional = Unconditional(LEDGER, TENANTS, client, now=clock.now)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(unconditional)


def test_without_the_sdks_retry_a_lost_answer_is_an_unavailable_store(
    client: Any, clock: ManualClock
) -> None:
    once = make_client("dynamodb", attempts=1)
    ledger = DynamoDbLedger(LEDGER, TENANTS, once, now=clock.now)
    lose_next_answer(once, "UpdateItem")

    with pytest.raises(StoreUnavailable):
        ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    again = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)
    assert (again.is_new, again.record.revision) == (False, 1)


def test_a_tombstone_outlives_retention_and_redrive_and_a_claim_takes_the_mark_away(
    dynamodb_ledger: DynamoDbLedger, client: Any, clock: ManualClock
) -> None:
    record = leased(dynamodb_ledger)
    dynamodb_ledger.finish(record, DocumentState.DELETED)

    def mark() -> dict[str, str] | None:
        key = {"tenant": {"S": "acme"}, "document_id": {"S": KEY.document_id}}
        found: dict[str, str] | None = client.get_item(TableName=LEDGER, Key=key)["Item"].get("forget_at")
        return found

    assert TOMBSTONE_S >= (14 + 15) * 86_400
    assert mark() == {"N": str(int(clock.now()) + TOMBSTONE_S)}
    dynamodb_ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE)
    assert mark() is None


def test_only_tombstones_expire(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    searchable(dynamodb_ledger)

    (item,) = client.scan(TableName=LEDGER)["Items"]

    assert "forget_at" not in item
    assert "open_tenant" not in item


def test_a_conflict_in_the_tenants_row_is_tried_again(
    dynamodb_ledger: DynamoDbLedger, client: Any, clock: ManualClock
) -> None:
    record = leased(dynamodb_ledger)
    fault = client.exceptions.TransactionCanceledException(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
            "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
        },
        "TransactWriteItems",
    )
    faults = [fault, fault]

    def conflict(**_: Any) -> None:
        if faults:
            raise faults.pop()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", conflict)

    assert dynamodb_ledger.activate(record, live_revision=1) == Epoch(generation="g1", content_version=1)
    assert not faults


def test_reads_that_dynamodb_left_undone_are_asked_again(
    dynamodb_ledger: DynamoDbLedger, client: Any
) -> None:
    searchable(dynamodb_ledger)
    key = {"tenant": {"S": "acme"}, "document_id": {"S": KEY.document_id}}
    undone = [True, True]

    def leave_undone(parsed: dict[str, Any], **_: Any) -> None:
        if undone and undone.pop():
            parsed["Responses"] = {}
            parsed["UnprocessedKeys"] = {LEDGER: {"Keys": [key]}}

    client.meta.events.register("after-call.dynamodb.BatchGetItem", leave_undone)

    assert dynamodb_ledger.live_revisions("acme", [KEY.document_id]) == {KEY.document_id: 1}
    undone += [True] * 50
    with pytest.raises(StoreUnavailable):
        dynamodb_ledger.live_revisions("acme", [KEY.document_id])


def test_a_tenant_without_a_record_starts_at_version_0(client: Any) -> None:
    tenants = DynamoDbTenants(TENANTS, client)

    assert tenants.epoch("acme") == Epoch(generation="g1", content_version=0)


def test_activation_keeps_a_newer_generation(dynamodb_ledger: DynamoDbLedger, client: Any) -> None:
    client.put_item(
        TableName=TENANTS,
        Item={"tenant": {"S": "acme"}, "generation": {"S": "g2"}, "content_version": {"N": "7"}},
    )

    epoch = dynamodb_ledger.activate(leased(dynamodb_ledger), live_revision=1)

    assert epoch == Epoch(generation="g2", content_version=8)
    assert DynamoDbTenants(TENANTS, client).epoch("acme") == epoch


@pytest.mark.parametrize("code", ["InternalServerError", "ThrottlingException"])
def test_a_failing_table_is_an_unavailable_store(
    dynamodb_ledger: DynamoDbLedger, client: Any, code: str
) -> None:
    fault = client.exceptions.ClientError({"Error": {"Code": code, "Message": ""}}, "GetItem")

    def fail(**_: Any) -> None:
        raise fault

    client.meta.events.register("before-call.dynamodb.*", fail)

    with pytest.raises(StoreUnavailable):
        dynamodb_ledger.get("acme", KEY.document_id)
    with pytest.raises(StoreUnavailable):
        dynamodb_ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)
