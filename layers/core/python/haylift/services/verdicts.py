"""Verdicts about documents in the audit: nobody asked for them, the system gave them."""

from haylift.audit import SYSTEM, AuditRecord, Outcome, record
from haylift.domain.documents import DocumentRecord, DocumentState

ACTION_BY_STATE = {
    DocumentState.SEARCHABLE: "document.indexed",
    DocumentState.REJECTED: "document.rejected",
    DocumentState.DELETED: "document.removed",
}


def record_verdict(document: DocumentRecord, state: DocumentState) -> None:
    """Writes the record of a verdict that the ledger has taken."""
    is_rejected = state is DocumentState.REJECTED
    record(
        AuditRecord(
            actor=SYSTEM,
            tenant=document.tenant,
            action=ACTION_BY_STATE[state],
            resource=document.document_id,
            outcome=Outcome.REFUSED if is_rejected else Outcome.ALLOWED,
            code=document.reason if is_rejected else "",
        )
    )
