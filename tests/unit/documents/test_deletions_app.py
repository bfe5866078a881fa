"""Deleting a document over HTTP: receipts, purges and holds."""

import pytest
from haylift.domain.identity import Role

from functions.documents.app import create_app
from tests.fakes.bucket import StoredVersion
from tests.fakes.gateway import Gateway, RecordedTelemetry, principal
from tests.unit.documents.desk import FOREIGN_RECEIPT_ID, START, gateway
from tests.unit.documents.shelf import service


def test_a_delete_is_accepted_with_a_receipt() -> None:
    api = gateway()

    answer = api.request("DELETE", f"/v1/documents/{START.document_id}")
    again = api.request("GET", f"/v1/receipts/{answer.json()['receipt_id']}")

    assert answer.status == 202
    assert answer.json() == {
        "receipt_id": "0" * 32,
        "document_id": START.document_id,
        "key": "documents/acme/handbook/start.md",
        "purge": False,
        "requested_at": "2027-01-15T08:00:00.000Z",
        "verified": False,
        "verified_at": None,
        "checks": {
            "index": False,
            "cache": False,
            "ledger": False,
            "versions": None,
            "stored_text": None,
            "quarantine": None,
        },
        "uploaded_again": False,
    }
    assert (again.status, again.json()) == (200, answer.json())


@pytest.mark.parametrize("receipt_id", [FOREIGN_RECEIPT_ID, "c" * 32, "x", "%2e%2e", "A" * 32, "a" * 5_000])
def test_foreign_unknown_and_malformed_receipts_get_the_same_answer(receipt_id: str) -> None:
    answer = gateway().request("GET", f"/v1/receipts/{receipt_id}")

    assert (answer.status, answer.json()["code"]) == (404, "receipt_not_found")


def test_a_purge_is_named_in_the_audit_and_a_hold_is_a_conflict(caplog: pytest.LogCaptureFixture) -> None:
    shelf = service(START)
    shelf.erasure.versions.held.add("v")  # type: ignore[attr-defined]
    shelf.erasure.versions.bucket.versions[START.key] = [StoredVersion("v", b"")]  # type: ignore[attr-defined]
    api = Gateway(create_app(shelf, RecordedTelemetry()), principal(Role.EDITOR, "acme"))

    with caplog.at_level("INFO", logger="haylift.audit"):
        answer = api.request("DELETE", f"/v1/documents/{START.document_id}", query="purge=true")

    assert (answer.status, answer.json()["code"]) == (409, "legal_hold")
    (found,) = [line.audit for line in caplog.records if line.name == "haylift.audit"]  # type: ignore[attr-defined]
    assert (found["action"], found["code"]) == (
        "DELETE /v1/documents/{document_id}?purge=true",
        "legal_hold",
    )
    assert shelf.objects.deleted == []  # type: ignore[attr-defined]
