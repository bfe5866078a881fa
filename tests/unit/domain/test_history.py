"""A document's history, as the ledger writes it."""

from collections.abc import Callable

import pytest
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Lane
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.history import MAX_CHANGES, changes_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.ingestion import MemoryLedger

KEY = DocumentKey("acme", "a.md")
STEPS = st.lists(st.sampled_from(["claim", "jump", "work", "release", "reject"]), min_size=1, max_size=30)


def lived(steps: list[str]) -> tuple[DocumentRecord, list[tuple[DocumentState, int]]]:
    """The row after these steps, and what each did to it: the state and revision that it showed then."""
    ledger, seen = MemoryLedger(), list[tuple[DocumentState, int]]()
    row = None
    for number, step in enumerate(["claim", *steps]):
        before = row.history if row else ()
        if step in {"claim", "jump"}:
            event = ObjectEvent(
                kind=ObjectEventKind.CREATED,
                key=KEY,
                sequencer=f"{number:064d}",
                version_id=f"v{number}",
                above_revision=7 if step == "jump" else 0,
            )
            row = ledger.claim(event, f"v{number}", lane=Lane.INTERACTIVE).record
        elif step == "work" and row and row.state is DocumentState.RECEIVED:
            row = ledger.take_lease("acme", KEY.document_id, row.revision, f"w{number}", 60.0)
        elif row and row.state is DocumentState.INDEXING:
            if step == "release":
                ledger.release(row)
            else:
                ledger.finish(row, DocumentState.REJECTED)
            row = ledger.get("acme", KEY.document_id)
        assert row is not None
        if row.history != before:
            seen.append((row.state, row.revision))
    assert row is not None
    return row, seen


def tells_what_happened(read: Callable[[DocumentRecord], object], steps: list[str]) -> None:
    row, seen = lived(steps)

    assert [(c.state, c.revision) for c in read(row)] == seen[-MAX_CHANGES:]  # type: ignore[attr-defined]


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_each_change_is_told_with_its_revision(steps: list[str]) -> None:
    tells_what_happened(changes_of, steps)


def test_a_history_that_counts_every_claim_as_one_fails_the_same_check() -> None:
    def counted(record: DocumentRecord) -> object:
        changes = changes_of(record)
        first = record.revision - sum(c.state is DocumentState.RECEIVED for c in changes)
        return [type(c)(state=c.state, revision=first + n, at=c.at) for n, c in enumerate(changes, start=1)]

    with pytest.raises(AssertionError):
        tells_what_happened(counted, ["jump", "work"])
