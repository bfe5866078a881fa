"""The documents app as a gateway calls it."""

from dataclasses import replace

from haylift.domain.documents import DocumentRecord
from haylift.domain.identity import Role
from haylift.domain.receipts import Receipt

from functions.documents.app import create_app
from tests.fakes.gateway import Gateway, RecordedTelemetry, principal
from tests.unit.documents.shelf import record, service

START = record()
RECEIPT_ID, FOREIGN_RECEIPT_ID = "a" * 32, "b" * 32
RECEIPT = Receipt(
    tenant="acme",
    receipt_id=RECEIPT_ID,
    document_id=START.document_id,
    key=START.key,
    purge=False,
    requested_by="ada",
    requested_at=1_800_000_000.0,
    revision=3,
    was_live=True,
    content_version=0,
    marker_version_id="marker-0",
    expires_at=1_900_000_000,
)
FOREIGN = record("plan.md", tenant="globex")


def gateway(role: Role | None = Role.EDITOR, *records: DocumentRecord) -> Gateway:
    """The app over these documents, asked by a user of tenant acme; None: by nobody known."""
    shelf = service(*(records or [START, FOREIGN, record("old.md", updated_at=1_700_000_000.0)]))
    for tenant, receipt_id in (("acme", RECEIPT_ID), ("globex", FOREIGN_RECEIPT_ID)):
        row = replace(START, tenant=tenant)
        shelf.erasure.receipts.put(replace(RECEIPT, tenant=tenant, receipt_id=receipt_id, key=row.key))
    caller = principal(role, "acme") if role else None
    return Gateway(create_app(shelf, RecordedTelemetry()), caller)
