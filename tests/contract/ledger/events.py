"""Events and rows that the ledger's tests speak of."""

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Lane, padded_sequencer
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.ports import Ledger

KEY = DocumentKey("acme", "handbook/über uns +1%.md")


def event(
    sequencer: str, *, kind: ObjectEventKind = ObjectEventKind.CREATED, key: DocumentKey = KEY
) -> ObjectEvent:
    """An event of the key."""
    return ObjectEvent(kind=kind, key=key, sequencer=padded_sequencer(sequencer))


def leased(ledger: Ledger, sequencer: str = "01", *, owner: str = "worker-1") -> DocumentRecord:
    """The row of a claimed revision under a worker's lease."""
    claimed = ledger.claim(event(sequencer), f"version-{sequencer}", lane=Lane.INTERACTIVE).record
    return ledger.take_lease("acme", KEY.document_id, claimed.revision, owner, 150)


def searchable(ledger: Ledger, sequencer: str = "01", *, key: DocumentKey = KEY) -> DocumentRecord:
    """The row of a document that readers see."""
    revision = ledger.claim(event(sequencer, key=key), "version-1", lane=Lane.INTERACTIVE).record.revision
    record = ledger.take_lease(key.tenant, key.document_id, revision, f"worker-{sequencer}", 150)
    ledger.activate(record, live_revision=revision)
    return ledger.finish(record, DocumentState.SEARCHABLE)
