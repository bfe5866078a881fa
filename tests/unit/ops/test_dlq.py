"""`ops dlq`: dead letters by cause, and a thousand of them worked on once each."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import batched
from pathlib import Path
from typing import Any

import pytest
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_rows import to_item
from haylift.adapters.sqs_lanes import read_order
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.events import IngestionOrder

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import audit_records, client, deploy
from tests.unit.ingestion.world import World

pytestmark = pytest.mark.usefixtures("aws")

LETTERS = 1_000 if os.environ.get("HAYLIFT_LAB") == "full" else 100
"""moto takes some milliseconds for each call: a thousand in `make verify`."""


@pytest.fixture
def outputs(state_dir: Path, aws: None) -> dict[str, str]:  # after moto
    return deploy(state_dir)


def _run(state_dir: Path, *command: str) -> tuple[int, dict[str, Any], str]:
    world = captured_world()
    code = main([*command, "--state-dir", str(state_dir), "--json"], world)
    return code, json.loads(shown(world)), remarked(world)


def _row(path: str, **changes: Any) -> DocumentRecord:
    key = DocumentKey("acme", path)
    row = DocumentRecord(
        tenant="acme",
        document_id=key.document_id,
        key=key.object_key,
        sequencer="1",
        revision=1,
        state=DocumentState.RECEIVED,
    )
    return replace(row, **changes)


def _put(*rows: DocumentRecord) -> None:
    for part in batched(rows, 25, strict=False):
        open_ones = {"open_tenant": {"S": "acme"}}
        puts = [
            {"PutRequest": {"Item": to_item(row) | ({} if row.state.is_final else open_ones)}} for row in part
        ]
        client("dynamodb").batch_write_item(RequestItems={"ledger": puts})


def _order(row: DocumentRecord, revision: int = 1) -> str:
    order = IngestionOrder(tenant=row.tenant, document_id=row.document_id, key=row.key, revision=revision)
    return json.dumps(asdict(order))


def _die(url: str, *bodies: str) -> None:
    for part in batched(bodies, 10, strict=False):
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(part)]
        client("sqs").send_message_batch(QueueUrl=f"{url}-dead", Entries=entries)


def _waiting(url: str) -> Iterator[str]:
    sqs = client("sqs")
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        yield from (message["Body"] for message in found)
        entries = [{"Id": one["MessageId"], "ReceiptHandle": one["ReceiptHandle"]} for one in found]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)


CAUSES = {
    "given_back": _row("a.md"),
    "worker_died": _row("b.md", attempts=3, stage="embed", percent=40),
    "over": _row("c.md", state=DocumentState.SEARCHABLE),
}


@pytest.fixture
def mixed(outputs: dict[str, str]) -> dict[str, str]:
    """One letter of each cause in the interactive lane, a superseded one, and one that is not ours."""
    superseded = _row("d.md", revision=3)
    _put(*CAUSES.values(), superseded)
    bodies = [_order(row) for row in (*CAUSES.values(), superseded)]
    _die(outputs["InteractiveQueueUrl"], *bodies, "no order")
    return outputs


def test_letters_are_counted_by_cause(mixed: dict[str, str], state_dir: Path) -> None:
    code, document, _ = _run(state_dir, "dlq", "list")

    assert code == 3
    assert document["total"] == 5
    assert document["queues"]["interactive-dead"] == {
        "given_back": 1,
        "worker_died": 1,
        "over": 2,
        "unreadable": 1,
    }
    assert _run(state_dir, "dlq", "list")[1] == document


def test_a_letter_is_shown_with_where_its_document_stands(mixed: dict[str, str], state_dir: Path) -> None:
    _, document, _ = _run(state_dir, "dlq", "show", "interactive", "--cause", "worker_died")

    (letter,) = document["letters"]
    assert letter["key"] == "documents/acme/b.md"
    assert letter["detail"] == "RECEIVED, 3 attempts, stage embed 40 %"


@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_without_a_yes_nothing_changes(mixed: dict[str, str], state_dir: Path, verb: str) -> None:
    code, document, err = _run(state_dir, "dlq", verb, "all")

    assert code == 3
    assert (document["done"], document["is_dry_run"], sum(document["found"].values())) == (0, True, 5)
    assert err == ""
    assert _run(state_dir, "dlq", "list")[1]["total"] == 5
    assert audit_records() == []


def test_one_cause_is_discarded_and_audited(mixed: dict[str, str], state_dir: Path) -> None:
    code, document, _ = _run(state_dir, "dlq", "discard", "interactive", "--cause", "over", "--yes")

    assert (code, document["done"]) == (0, 2)
    assert "over" not in _run(state_dir, "dlq", "list")[1]["queues"]["interactive-dead"]
    (record,) = audit_records()
    assert (record["action"], record["resource"]) == ("dlq.discard", "interactive-dead:over:2")


def test_a_document_gets_its_attempts_back(mixed: dict[str, str], state_dir: Path) -> None:
    _run(state_dir, "dlq", "redrive", "interactive", "--cause", "worker_died", "--yes")

    row = DynamoDbLedger("ledger", "tenants", client("dynamodb")).get(
        "acme", CAUSES["worker_died"].document_id
    )
    assert row is not None
    assert row.attempts == 0
    (body,) = _waiting(mixed["InteractiveQueueUrl"])
    assert read_order(body).key == "documents/acme/b.md"


def test_an_event_that_was_never_claimed_goes_back_to_intake(
    outputs: dict[str, str], state_dir: Path
) -> None:
    detail = {"bucket": {"name": "uploads"}, "object": {"key": "documents/acme/e.md", "sequencer": "1F"}}
    event = json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
    _die(outputs["IntakeQueueUrl"], event)

    code, document, _ = _run(state_dir, "dlq", "redrive", "intake", "--yes")

    assert (code, document["found"]) == (0, {"not_claimed": 1})
    assert list(_waiting(outputs["IntakeQueueUrl"])) == [event]


def test_the_audits_letters_have_a_command_of_their_own(outputs: dict[str, str], state_dir: Path) -> None:
    code, told, _ = _run(state_dir, "dlq", "show", "audit")

    assert code == 2
    assert "audit --redeliver" in json.dumps(told)


def effects_once_each(world: World, orders: list[IngestionOrder], keys: list[str]) -> None:
    """Works on every order, and finds each document indexed once."""
    for order in orders:
        world.work(order)
    rows = Counter(chunk.chunk.key for stored in world.index.stored.values() for chunk in stored.values())
    assert rows == dict.fromkeys(keys, 1)
    assert {world.ledger.get("acme", order.document_id).live_revision for order in orders} == {1}  # type: ignore[union-attr]
    assert world.ledger.tenants.epoch("acme").content_version == len(keys)


def test_each_repaired_letter_is_one_effect(outputs: dict[str, str], state_dir: Path) -> None:
    world = World(interactive_open_limit=LETTERS + 1)
    keys = [f"documents/acme/n-{number}.md" for number in range(LETTERS)]
    for key in keys:
        world.bucket.put(key, b"one")
    world.dispatch(*world.bucket.bodies)
    orders = [order for _, order in world.lanes.sent]
    _put(*(_row(f"n-{number}.md") for number in range(LETTERS)))
    bodies = [json.dumps(asdict(order)) for order in orders]
    # A redrive that died between sending and deleting has sent the first ten before.
    _die(outputs["InteractiveQueueUrl"], *bodies, *bodies[:10])

    code, document, _ = _run(state_dir, "dlq", "redrive", "interactive", "--per-second", "10000", "--yes")

    assert (code, document["done"]) == (0, LETTERS + 10)
    assert _run(state_dir, "dlq", "list")[1]["total"] == 0
    redriven = [read_order(body) for body in _waiting(outputs["InteractiveQueueUrl"])]
    effects_once_each(world, redriven, keys)


def test_a_lost_letter_fails_the_same_check() -> None:
    world = World()
    keys = [f"documents/acme/n-{number}.md" for number in range(3)]
    for key in keys:
        world.bucket.put(key, b"one")
    world.dispatch(*world.bucket.bodies)
    orders = [order for _, order in world.lanes.sent]

    with pytest.raises(AssertionError):
        effects_once_each(world, orders[:2], keys)


def test_a_superseded_order_has_no_effect_when_it_is_redriven() -> None:
    world = World()
    world.bucket.put("documents/acme/a.md", b"old")
    world.dispatch(*world.bucket.bodies)
    ((_, old),) = world.lanes.sent
    world.bucket.put("documents/acme/a.md", b"new")
    world.settle()
    before = world.ledger.tenants.epoch("acme").content_version

    world.work(old)

    assert world.seen("documents/acme/a.md") == ["new"]
    assert world.ledger.tenants.epoch("acme").content_version == before
