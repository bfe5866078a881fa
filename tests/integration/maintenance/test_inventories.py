"""The lists that maintenance goes through, on emulated S3 and DynamoDB."""

from collections.abc import Iterator
from typing import Any

import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_inventory import DynamoDbInventory, DynamoDbNotes, DynamoDbTotals
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.s3_inventory import S3Inventory
from haylift.domain.documents import DocumentKey, DocumentState, Lane, padded_sequencer
from haylift.domain.events import ObjectEvent, ObjectEventKind

from tests.contract.ledger.tables import LEDGER, TENANTS, dynamodb

BUCKET = "uploads"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture
def client() -> Iterator[Any]:
    with dynamodb() as tables:
        yield tables


def _claimed(client: Any, *names: str) -> list[str]:
    ledger = DynamoDbLedger(LEDGER, TENANTS, client)
    keys = [DocumentKey("acme", name) for name in names]
    for key in keys:
        event = ObjectEvent(
            kind=ObjectEventKind.CREATED, key=key, sequencer=padded_sequencer("0A"), version_id="v"
        )
        ledger.claim(event, "v", lane=Lane.INTERACTIVE)
    return sorted(key.document_id for key in keys)


def test_rows_come_in_pages_by_document_id(client: Any) -> None:
    ids = _claimed(client, *"abcde")
    inventory = DynamoDbInventory(LEDGER, client)

    first = inventory.rows("acme", limit=3)
    rest = inventory.rows("acme", after=first[-1].document_id, limit=3)

    assert [row.document_id for row in (*first, *rest)] == ids
    assert inventory.rows("nobody") == ()
    assert sorted(inventory.rows_of("acme", [*ids, "unknown"])) == ids


def test_open_rows_come_in_pages_and_a_resend_is_noted_once(client: Any) -> None:
    ids = _claimed(client, *"abc")
    inventory = DynamoDbInventory(LEDGER, client, now=lambda: 7.0)

    page = inventory.open_rows("acme", limit=2)
    rest = inventory.open_rows("acme", cursor=page.cursor, limit=2)
    inventory.note_resend(page.rows[0])

    assert sorted(row.document_id for row in (*page.rows, *rest.rows)) == ids
    noted = inventory.rows_of("acme", [page.rows[0].document_id])[page.rows[0].document_id]
    assert (noted.resends, noted.resent_at, noted.state) == (1, 7.0, DocumentState.RECEIVED)


def test_a_count_is_corrected_unless_something_was_activated(client: Any) -> None:
    totals = DynamoDbTotals(TENANTS, client)

    assert totals.correct_count("acme", 4, content_version=0) is True
    assert totals.correct_count("acme", 9, content_version=3) is False

    count = totals.count("acme")
    assert count is not None
    assert (count.documents, count.generation) == (4, "g1")


def test_notes_are_no_tenants(client: Any) -> None:
    notes = DynamoDbNotes(TENANTS, client)
    assert notes.read("sweep") == ""

    notes.write("sweep", "{}")

    assert notes.read("sweep") == "{}"
    assert DynamoDbTotals(TENANTS, client).counts() == ()


def test_the_bucket_shows_current_objects_markers_and_folders(client: Any) -> None:
    s3 = make_client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in (
        "documents/acme/a",
        "documents/acme/a",
        "documents/acme/a.md",
        "documents/acme/c",
        "documents/beta/x",
    ):
        newest = s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")["VersionId"]
    s3.delete_object(Bucket=BUCKET, Key="documents/acme/c")
    inventory = S3Inventory(BUCKET, s3)

    found, cursor = [], None
    while True:
        page = inventory.current_objects("documents/acme/", cursor=cursor, limit=2)
        found += [each.key for each in page.objects]
        cursor = page.cursor
        if cursor is None:
            break

    assert found == ["documents/acme/a", "documents/acme/a.md"]
    hidden, shown = inventory.newest("documents/acme/c"), inventory.newest("documents/beta/x")
    assert hidden is not None
    assert (hidden.version_id, shown and shown.version_id) == ("", newest)
    assert inventory.newest("documents/acme/b") is None
    assert inventory.folders("documents/") == ("acme", "beta")


def test_an_expired_document_is_not_live_any_more(client: Any) -> None:
    (document_id,) = _claimed(client, "a")
    client.update_item(
        TableName=LEDGER,
        Key={"tenant": {"S": "acme"}, "document_id": {"S": document_id}},
        UpdateExpression="SET live_revision = :one, expires_at = :then",
        ExpressionAttributeValues={":one": {"N": "1"}, ":then": {"N": "100"}},
    )

    before = DynamoDbLedger(LEDGER, TENANTS, client, now=lambda: 99.0).live_revisions("acme", [document_id])
    after = DynamoDbLedger(LEDGER, TENANTS, client, now=lambda: 100.0).live_revisions("acme", [document_id])

    assert (list(before), list(after)) == ([document_id], [])
