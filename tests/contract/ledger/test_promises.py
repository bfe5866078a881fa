"""What every ledger promises."""

from dataclasses import replace

import pytest
from haylift.domain.documents import DocumentKey, DocumentState, Epoch, Lane
from haylift.domain.errors import InvalidInput, OutOfTurn
from haylift.domain.events import ObjectEventKind
from haylift.domain.listing import DocumentFilter
from haylift.ports import Ledger

from tests.contract.ledger.events import KEY, event, leased, searchable
from tests.fakes.identity import ManualClock


def test_a_claim_makes_the_next_revision(ledger: Ledger) -> None:
    first = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)
    second = ledger.claim(event("02"), "v2", lane=Lane.BACKFILL)

    assert (first.is_new, first.record.revision, first.record.state) == (True, 1, DocumentState.RECEIVED)
    assert (second.is_new, second.record.revision) == (True, 2)
    assert (second.record.version_id, second.record.lane) == ("v2", Lane.BACKFILL)
    assert ledger.get("acme", KEY.document_id) == second.record
    assert second.record.key == "documents/acme/handbook/über uns +1%.md"


def a_late_claim_changes_nothing(ledger: Ledger) -> None:
    newest = ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE).record

    late = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    assert not late.is_new
    assert late.record == newest == ledger.get("acme", KEY.document_id)


def test_a_late_claim_changes_nothing(ledger: Ledger) -> None:
    a_late_claim_changes_nothing(ledger)


def test_a_known_claim_gives_its_row_back(ledger: Ledger) -> None:
    first = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    again = ledger.claim(event("01"), "v1", lane=Lane.INTERACTIVE)

    assert not again.is_new
    assert again.record == first.record


def test_a_check_of_the_known_version_only_notes_the_sequencer(ledger: Ledger) -> None:
    before = searchable(ledger)

    claim = ledger.claim(event("05", kind=ObjectEventKind.CHECK), "version-1", lane=Lane.INTERACTIVE)

    assert not claim.is_new
    assert claim.record == replace(before, sequencer=event("05").sequencer)
    assert not ledger.claim(event("04"), "v4", lane=Lane.INTERACTIVE).is_new


@pytest.mark.parametrize("version_id", ["version-2", "", "null"])
def test_a_check_that_finds_another_version_is_a_claim(ledger: Ledger, version_id: str) -> None:
    searchable(ledger)

    claim = ledger.claim(event("05", kind=ObjectEventKind.CHECK), version_id, lane=Lane.INTERACTIVE)

    assert (claim.is_new, claim.record.revision, claim.record.version_id) == (True, 2, version_id)
    assert claim.record.live_revision == 1


def test_a_check_that_finds_nothing_is_a_claim_while_a_worker_looks_for_itself(ledger: Ledger) -> None:
    ledger.claim(event("01"), "", lane=Lane.INTERACTIVE)
    waiting = ledger.claim(event("02", kind=ObjectEventKind.CHECK), "", lane=Lane.INTERACTIVE)
    ledger.take_lease("acme", KEY.document_id, 1, "worker-1", 150)

    at_work = ledger.claim(event("03", kind=ObjectEventKind.CHECK), "", lane=Lane.INTERACTIVE)

    assert (waiting.is_new, waiting.record.revision) == (False, 1)
    assert (at_work.is_new, at_work.record.revision) == (True, 2)


def test_an_unversioned_check_is_always_a_claim(ledger: Ledger) -> None:
    ledger.claim(event("01", kind=ObjectEventKind.CHECK), "null", lane=Lane.INTERACTIVE)

    claim = ledger.claim(event("02", kind=ObjectEventKind.CHECK), "null", lane=Lane.INTERACTIVE)

    assert (claim.is_new, claim.record.revision) == (True, 2)


def test_a_lease_counts_the_attempt_and_keeps_others_out(ledger: Ledger, clock: ManualClock) -> None:
    record = leased(ledger)

    with pytest.raises(OutOfTurn) as refused:
        ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150)

    assert (record.state, record.attempts, record.lease_owner) == (DocumentState.INDEXING, 1, "worker-1")
    assert not refused.value.superseded
    clock.advance(151)
    assert ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150).attempts == 2


def test_progress_renews_the_lease(ledger: Ledger, clock: ManualClock) -> None:
    record = leased(ledger)
    clock.advance(100)
    shown = ledger.progress(record, stage="embed", percent=40, lease_s=150)
    clock.advance(100)

    with pytest.raises(OutOfTurn):
        ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150)

    assert (shown.stage, shown.percent) == ("embed", 40)


def test_progress_keeps_what_the_draft_is_of(ledger: Ledger) -> None:
    record = replace(leased(ledger), draft="1:abc")

    shown = ledger.progress(record, stage="draft", percent=5, lease_s=150)
    ledger.release(record)

    assert shown.draft == "1:abc"
    assert ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150).draft == "1:abc"


def test_a_released_document_can_be_taken_at_once(ledger: Ledger) -> None:
    record = leased(ledger)
    ledger.progress(record, stage="embed", percent=40, lease_s=150)

    ledger.release(replace(record, attempts=0))

    row = ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150)
    assert (row.attempts, row.stage) == (1, "embed")


def only_the_newest_lease_holder_writes(ledger: Ledger) -> None:
    stale = leased(ledger)
    ledger.claim(event("02"), "v2", lane=Lane.INTERACTIVE)
    row = ledger.get("acme", KEY.document_id)

    for write in (
        lambda: ledger.progress(stale, stage="embed", percent=1, lease_s=150),
        lambda: ledger.activate(stale, live_revision=1),
        lambda: ledger.finish(stale, DocumentState.SEARCHABLE),
        lambda: ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150),
    ):
        with pytest.raises(OutOfTurn) as refused:
            write()
        assert refused.value.superseded
    ledger.release(stale)
    assert ledger.get("acme", KEY.document_id) == row


def test_only_the_newest_lease_holder_writes(ledger: Ledger) -> None:
    only_the_newest_lease_holder_writes(ledger)


def test_a_worker_that_lost_its_lease_comes_again_later(ledger: Ledger, clock: ManualClock) -> None:
    lost = leased(ledger)
    clock.advance(151)
    ledger.take_lease("acme", KEY.document_id, 1, "worker-2", 150)

    with pytest.raises(OutOfTurn) as refused:
        ledger.activate(lost, live_revision=1)

    assert not refused.value.superseded


def test_an_unknown_document_has_no_lease(ledger: Ledger) -> None:
    with pytest.raises(OutOfTurn) as refused:
        ledger.take_lease("acme", KEY.document_id, 1, "worker-1", 150)

    assert refused.value.superseded


def test_activation_shows_a_revision_and_raises_the_content_version(ledger: Ledger) -> None:
    record = replace(leased(ledger), title="About us", content_digest="abc", chunk_count=3, live_model="m")

    epoch = ledger.activate(record, live_revision=1)
    again = ledger.activate(record, live_revision=1)

    assert epoch == again == Epoch(generation="g1", content_version=1)
    assert ledger.live_revisions("acme", [KEY.document_id]) == {KEY.document_id: 1}
    row = ledger.get("acme", KEY.document_id)
    assert row is not None
    assert (row.title, row.content_digest, row.chunk_count, row.live_model) == ("About us", "abc", 3, "m")
    assert row.state is DocumentState.INDEXING


@pytest.mark.parametrize(
    ("kind", "trusted"), [(ObjectEventKind.CREATED, ("abc", "m")), (ObjectEventKind.REBUILD, ("", ""))]
)
def test_a_rebuild_trusts_neither_bytes_nor_vectors_of_what_is_live(
    ledger: Ledger, kind: ObjectEventKind, trusted: tuple[str, str]
) -> None:
    record = replace(leased(ledger), content_digest="abc", live_model="m")
    ledger.activate(record, live_revision=1)
    ledger.finish(record, DocumentState.SEARCHABLE)

    claimed = ledger.claim(event("02", kind=kind), "version-2", lane=Lane.INTERACTIVE).record

    assert (claimed.content_digest, claimed.live_model) == trusted


def test_a_finished_document_drops_its_lease_and_is_no_longer_open(
    ledger: Ledger, clock: ManualClock
) -> None:
    record = leased(ledger)
    assert ledger.open_count("acme", Lane.INTERACTIVE, 10) == 1
    clock.advance(3)

    row = ledger.finish(replace(record, reason="no_text"), DocumentState.REJECTED)

    assert (row.state, row.reason, row.lease_owner) == (DocumentState.REJECTED, "no_text", "")
    assert row.updated_at - row.received_at == 3
    assert ledger.open_count("acme", Lane.INTERACTIVE, 10) == 0
    assert ledger.finish(record, DocumentState.REJECTED) == row


def test_the_open_count_stops_at_its_limit_the_tenant_and_the_lane(ledger: Ledger) -> None:
    for number in range(5):
        ledger.claim(event("01", key=DocumentKey("acme", f"{number}.md")), "v1", lane=Lane.INTERACTIVE)
    ledger.claim(event("01", key=DocumentKey("other", "1.md")), "v1", lane=Lane.INTERACTIVE)
    ledger.claim(event("01", key=DocumentKey("acme", "bulk/1.md")), "v1", lane=Lane.BACKFILL)

    assert ledger.open_count("acme", Lane.INTERACTIVE, 3) == 3
    assert ledger.open_count("acme", Lane.INTERACTIVE, 10) == 5
    assert ledger.open_count("acme", Lane.BACKFILL, 10) == 1


def test_a_list_is_paged_newest_change_first(ledger: Ledger, clock: ManualClock) -> None:
    keys = [DocumentKey("acme", f"{number}.md") for number in range(5)]
    for key in keys:
        clock.advance(1)
        ledger.claim(event("01", key=key), "v1", lane=Lane.INTERACTIVE)

    pages = []
    cursor = None
    while True:
        page = ledger.list("acme", limit=2, cursor=cursor)
        pages.append([document.key.rsplit("/", 1)[1] for document in page.documents])
        cursor = page.cursor
        if cursor is None:
            break

    assert pages == [["4.md", "3.md"], ["2.md", "1.md"], ["0.md"]]


def test_a_list_shows_tombstones_only_when_asked(ledger: Ledger) -> None:
    record = leased(ledger)
    ledger.finish(record, DocumentState.DELETED)
    kept = DocumentKey("acme", "kept.md")
    searchable(ledger, key=kept)

    assert [row.key for row in ledger.list("acme", limit=10).documents] == [kept.object_key]
    deleted = ledger.list("acme", limit=10, wanted=DocumentFilter(state=DocumentState.DELETED))
    assert [row.key for row in deleted.documents] == [KEY.object_key]
    assert ledger.list("other", limit=10).documents == ()


@pytest.mark.parametrize("cursor", ["x", "WzFd", "bnVsbA", "WzEsICIuLiJd", "é", "[" * 3000])
def test_a_made_up_cursor_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ledger.list("acme", limit=2, cursor=cursor)

    assert refused.value.code == "invalid_cursor"


def test_a_check_is_a_real_read(ledger: Ledger) -> None:
    ledger.check()
