"""An upload is followed by its own revision, never by another's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState

from ops.files import LocalFile
from ops.follow import LOOKS_PER_POLL, Follower, Outcome, Uploaded
from tests.fakes.ops import HandClock


def _upload(path: str = "a.md", version_id: str = "v2", revision_before: int = 1) -> Uploaded:
    file = LocalFile(path=Path(path), key=DocumentKey("acme", path))
    return Uploaded(file=file, version_id=version_id, revision_before=revision_before, uploaded_at=1_000.0)


def _row(
    upload: Uploaded, state: DocumentState, *, revision: int = 2, version_id: str = "v2", reason: str = ""
) -> DocumentRecord:
    key = upload.file.key
    return DocumentRecord(
        tenant=key.tenant,
        document_id=key.document_id,
        key=key.object_key,
        sequencer="0",
        revision=revision,
        state=state,
        version_id=version_id,
        reason=reason,
    )


class Ledger:
    """Rows by document id, changed by the test."""

    def __init__(self, *rows: DocumentRecord) -> None:
        self.rows = {row.document_id: row for row in rows}
        self.looks = 0

    def get(self, tenant: str, document_id: str) -> DocumentRecord | None:
        self.looks += 1
        return self.rows.get(document_id)


def _follower(
    ledger: Ledger,
    clock: HandClock | None = None,
    *,
    is_current: bool = True,
    kind: type[Follower] = Follower,
) -> Follower:
    clock = clock or HandClock()
    return kind(ledger.get, lambda _: is_current, now=clock.now, sleep=clock.sleep)


def _ignore(outcome: Outcome) -> None:
    """A display that shows nothing."""


def check_an_older_revision_is_not_taken_for_the_upload(kind: type[Follower]) -> None:
    """The row is SEARCHABLE from an earlier upload; the new one has not been claimed."""
    upload = _upload()
    ledger = Ledger(_row(upload, DocumentState.SEARCHABLE, revision=1, version_id="v1"))

    assert _follower(ledger, kind=kind).outcome(upload).state is None

    ledger.rows = {upload.file.key.document_id: _row(upload, DocumentState.SEARCHABLE)}
    assert _follower(ledger, kind=kind).outcome(upload).state is DocumentState.SEARCHABLE


def test_an_older_revision_is_not_taken_for_the_upload() -> None:
    check_an_older_revision_is_not_taken_for_the_upload(Follower)


class TrustsAnyRow(Follower):
    """The seeded fault: whatever the row says is taken for this upload."""

    def outcome(self, uploaded: Uploaded) -> Outcome:
        key = uploaded.file.key
        record = self._record_of(key.tenant, key.document_id)
        return Outcome(uploaded=uploaded, state=record.state if record else None)


def test_the_check_of_revisions_can_fail() -> None:
    with pytest.raises(AssertionError):
        check_an_older_revision_is_not_taken_for_the_upload(TrustsAnyRow)


def test_a_late_claim_of_an_earlier_version_is_waited_out() -> None:
    upload = _upload()
    ledger = Ledger(_row(upload, DocumentState.SEARCHABLE, version_id="v1"))

    assert _follower(ledger, is_current=True).outcome(upload).state is None


def test_a_later_change_of_the_same_key_ends_the_waiting() -> None:
    upload = _upload()
    ledger = Ledger(_row(upload, DocumentState.DELETED, revision=3, version_id=""))

    outcome = _follower(ledger, is_current=False).outcome(upload)

    assert (outcome.state, outcome.is_superseded) == (DocumentState.DELETED, True)


def test_without_versions_a_higher_revision_is_the_upload() -> None:
    upload = _upload(version_id="")
    ledger = Ledger(_row(upload, DocumentState.REJECTED, version_id="null", reason="empty"))

    outcome = _follower(ledger).outcome(upload)

    assert (outcome.state, outcome.reason, outcome.is_superseded) == (DocumentState.REJECTED, "empty", False)


def _ingesting(ledger: Ledger, steps: list[DocumentRecord]) -> Callable[[], None]:
    remaining = iter(steps)

    def step() -> None:
        row = next(remaining, None)
        if row is not None:
            ledger.rows[row.document_id] = row

    return step


def test_each_change_is_shown_once_and_the_last_state_is_given() -> None:
    upload = _upload()
    ledger = Ledger()
    states = [
        DocumentState.RECEIVED,
        DocumentState.INDEXING,
        DocumentState.INDEXING,
        DocumentState.SEARCHABLE,
    ]
    clock = HandClock(_ingesting(ledger, [_row(upload, state) for state in states]))
    seen: list[DocumentState | None] = []

    (outcome,) = _follower(ledger, clock).follow([upload], 60, lambda change: seen.append(change.state))

    assert seen == [DocumentState.RECEIVED, DocumentState.INDEXING, DocumentState.SEARCHABLE]
    assert outcome.state is DocumentState.SEARCHABLE
    assert outcome.seconds == 2.0


def test_it_gives_up_when_nothing_changes_and_says_which_are_left() -> None:
    done, stuck = _upload("done.md"), _upload("stuck.md")
    clock = HandClock()
    ledger = Ledger(_row(done, DocumentState.SEARCHABLE), _row(stuck, DocumentState.INDEXING))

    outcomes = _follower(ledger, clock).follow([done, stuck], 30, _ignore)

    assert [outcome.state_name for outcome in outcomes] == ["SEARCHABLE", "INDEXING"]
    assert clock.now() == 1_030.0


def test_a_long_document_that_moves_is_not_given_up() -> None:
    upload = _upload("long.pdf")
    ledger = Ledger()
    moving = [
        replace(_row(upload, DocumentState.INDEXING), updated_at=float(number)) for number in range(200)
    ]
    clock = HandClock(_ingesting(ledger, [*moving, _row(upload, DocumentState.SEARCHABLE)]))

    (outcome,) = _follower(ledger, clock).follow([upload], 30, _ignore)

    assert outcome.state is DocumentState.SEARCHABLE
    assert clock.now() > 1_030.0


def test_a_thousand_files_cost_the_ledger_no_more_than_fifty_a_round() -> None:
    uploads = [_upload(f"{number}.md") for number in range(1_000)]
    looks: list[int] = []
    ledger = Ledger()
    clock = HandClock(lambda: looks.append(ledger.looks))

    _follower(ledger, clock).follow(uploads, 2, _ignore)

    assert looks == [LOOKS_PER_POLL, 2 * LOOKS_PER_POLL, 3 * LOOKS_PER_POLL, 4 * LOOKS_PER_POLL]
