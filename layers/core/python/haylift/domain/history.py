"""What became of a document: each change of its state, kept as lines of text in its ledger row.

A line is written by the very write that changes the state, so that history and state cannot differ. The
write that claims an event does not know which revision it makes (the ledger counts it up), so its line says
by how much: the newest claimed line is of the row's revision, the one before of that much less.
"""

from dataclasses import dataclass

from haylift.domain.documents import DocumentRecord, DocumentState

MAX_CHANGES = 50
"""A row keeps about so many; a line has at most some 80 bytes, so that they stay far below a row's 400 kB."""


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """One change: the state that began `at` (epoch seconds, UTC); `reason` is empty but for verdicts."""

    state: DocumentState
    revision: int
    at: float
    reason: str = ""


def claimed_line(at: float, *, step: int = 1) -> str:
    """The line of a claim, which raises the revision by `step`.

    >>> claimed_line(1.5)
    '1.5 RECEIVED +1'
    """
    return f"{at!r} {DocumentState.RECEIVED} +{step}"


def changed_line(state: DocumentState, *, revision: int, at: float, reason: str = "") -> str:
    """The line of any other change.

    >>> changed_line(DocumentState.REJECTED, revision=2, at=3.0, reason="encrypted")
    '3.0 REJECTED 2 encrypted'
    """
    return f"{at!r} {state} {revision} {reason}".rstrip()


def changes_of(record: DocumentRecord) -> tuple[StateChange, ...]:
    """The row's changes in their order, the oldest first."""
    found: list[StateChange] = []
    claimed = record.revision
    for line in reversed(record.history):
        at, state, place, *more = line.split(" ", 3)
        is_claim = place.startswith("+")
        found.append(
            StateChange(
                state=DocumentState(state),
                revision=claimed if is_claim else int(place),
                at=float(at),
                reason=more[0] if more else "",
            )
        )
        claimed -= int(place) if is_claim else 0
    return tuple(reversed(found))
