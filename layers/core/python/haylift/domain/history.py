"""What became of a document: each change of its state, kept as lines of text in its ledger row.

A line is written by the very write that changes the state, so that history and state cannot differ. The
write that claims an event does not know which revision it makes (the ledger counts it up), so its line
names none: the newest claimed line belongs to the row's revision, the one before to the revision before.
"""

from dataclasses import dataclass

from haylift.domain.documents import DocumentRecord, DocumentState

MAX_CHANGES = 50
"""A row keeps about so many; a line has at most some 80 bytes, so that they stay far below a row's 400 kB."""


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """One change: the state that began `at` (epoch seconds, UTC) and why; `reason` is empty but for verdicts."""

    state: DocumentState
    revision: int
    at: float
    reason: str = ""


def claimed_line(at: float) -> str:
    """The line of a claim, which begins a revision.

    >>> claimed_line(1.5)
    '1.5 RECEIVED'
    """
    return f"{at!r} {DocumentState.RECEIVED}"


def changed_line(state: DocumentState, *, revision: int, at: float, reason: str = "") -> str:
    """The line of any other change.

    >>> changed_line(DocumentState.REJECTED, revision=2, at=3.0, reason="encrypted")
    '3.0 REJECTED 2 encrypted'
    """
    return f"{at!r} {state} {revision} {reason}".rstrip()


def changes_of(record: DocumentRecord) -> tuple[StateChange, ...]:
    """The row's changes in their order, the oldest first; what was before the first claimed line is left out."""
    claimed_after = sum(_is_claim(line) for line in record.history)
    found: list[StateChange] = []
    for line in record.history:
        at, state, *more = line.split(" ", 3)
        if _is_claim(line):
            claimed_after -= 1
        revision = int(more[0]) if more else record.revision - claimed_after
        reason = more[1] if len(more) > 1 else ""
        found.append(StateChange(state=DocumentState(state), revision=revision, at=float(at), reason=reason))
    return tuple(found)


def _is_claim(line: str) -> bool:
    return line.count(" ") == 1
