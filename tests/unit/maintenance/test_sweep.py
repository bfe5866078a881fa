"""What dead workers leave is gone after one sweep, and nothing else is."""

from contextlib import suppress
from dataclasses import replace

import pytest
from haylift.domain.documents import DocumentKey, DocumentState
from haylift.domain.drift import DriftKind
from haylift.domain.quarantine import QuarantineKeys
from haylift.services.sweep import SweepPlace

from tests.unit.ingestion.world import LEASE_S, Killed, index_equals_bucket
from tests.unit.maintenance.drift_injections import INJECTIONS
from tests.unit.maintenance.drift_world import KEYS, DriftWorld

KEY = KEYS[0]


def the_order_comes_again(drifted: DriftWorld) -> None:
    """A message that is gone for good is sent again, and the document ends as the bucket is."""
    drifted.world.bucket.put(KEY, b"newest")
    drifted.world.dispatch(drifted.world.bucket.bodies.pop())
    drifted.world.lanes.sent.clear()

    drifted.settle()

    index_equals_bucket(drifted.world, KEY)


@pytest.mark.parametrize("name", ["chunks of the past", "chunks of the future", "chunks of nobody"])
def test_orphans_are_gone_after_one_sweep(name: str) -> None:
    drifted = DriftWorld()
    INJECTIONS[name][1](drifted, KEY)

    drifted.settle()

    assert drifted.reconcile(repair=False) == ()


def test_an_order_that_was_lost_is_sent_again() -> None:
    the_order_comes_again(DriftWorld())


def test_without_a_sweep_the_same_check_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DriftWorld, "sweep", lambda _: None)

    with pytest.raises(AssertionError):
        the_order_comes_again(DriftWorld())


def test_a_worker_that_died_with_its_lease_and_its_message_is_followed_by_another() -> None:
    drifted = DriftWorld()
    drifted.world.bucket.put(KEY, b"newest 1\nnewest 2\nnewest 3")
    drifted.world.dispatch(drifted.world.bucket.bodies.pop())
    _, order = drifted.world.lanes.sent.pop()

    def kill(name: str) -> None:
        if name == "write":
            raise Killed

    drifted.world.after = kill
    with suppress(Killed):
        drifted.world.work(order)
    drifted.world.after = lambda _: None
    drifted.settle()

    index_equals_bucket(drifted.world, KEY)


def test_a_running_worker_keeps_its_chunks_and_its_lease() -> None:
    drifted = DriftWorld()
    drifted.world.bucket.put(KEY, b"newest 1\nnewest 2\nnewest 3")
    drifted.world.dispatch(drifted.world.bucket.bodies.pop())
    _, order = drifted.world.lanes.sent.pop()
    revisions: list[set[int]] = []

    def sweep_beside(name: str) -> None:
        if name == "write":
            drifted.world.after = lambda _: None
            service_time = drifted.world.clock.now()
            INJECTIONS["chunks of the past"][1](drifted, KEY)
            _sweep_now(drifted)
            assert drifted.world.clock.now() == service_time
            revisions.append(drifted.world.revisions(KEY))

    drifted.world.after = sweep_beside
    drifted.world.work(order)

    row = drifted.world.row(KEY)
    assert row is not None
    assert revisions == [{row.revision - 1, row.revision}]
    assert drifted.world.lanes.sent == []
    index_equals_bucket(drifted.world, KEY)


def _sweep_now(drifted: DriftWorld) -> SweepPlace:
    service, place = drifted.sweeper(), SweepPlace()
    while (here := service.next_place(place)) is not None:
        place = service.step(here)
    return place


def test_an_order_that_does_not_help_is_sent_less_and_less_often() -> None:
    drifted = DriftWorld()
    drifted.world.bucket.put(KEY, b"newest")
    drifted.world.dispatch(drifted.world.bucket.bodies.pop())
    drifted.world.lanes.sent.clear()
    sent: list[int] = []

    for minute in range(0, 80, 10):
        if _sweep_now(drifted).swept.get("resent"):
            sent.append(minute)
        drifted.world.clock.advance(600.0)

    assert sent == [10, 30, 70]


def test_texts_of_other_revisions_go_and_those_of_the_live_one_stay() -> None:
    drifted = DriftWorld()
    row = drifted.world.row(KEY)
    assert row is not None
    kept = f"text/acme/{row.document_id}/{row.live_revision}/0f/00000.jsonl.gz"
    left = [f"text/acme/{row.document_id}/7/0f/00000.jsonl.gz", "text/acme/unknown/1/0f/00000.jsonl.gz"]
    for key in (kept, *left):
        drifted.world.bucket.put(key, b"text")
    drifted.world.bucket.bodies.clear()

    swept = _sweep_now(drifted).swept

    assert swept == {"texts": 2}
    assert drifted.world.bucket.current(kept) is not None
    assert [drifted.world.bucket.current(key) for key in left] == [None, None]


def test_only_rejected_documents_keep_a_copy_in_quarantine() -> None:
    drifted = DriftWorld()
    rejected = QuarantineKeys.of(DocumentKey.parse("documents/acme/rejected.md"))
    searchable = QuarantineKeys.of(DocumentKey.parse(KEY))
    for key in (rejected.copy, rejected.reason, searchable.copy, searchable.reason):
        drifted.world.bucket.put(key, b"copy")
    drifted.world.bucket.bodies.clear()

    _sweep_now(drifted)

    current = drifted.world.bucket.current
    assert current(rejected.copy) is not None
    assert current(rejected.reason) is not None
    assert (current(searchable.copy), current(searchable.reason)) == (None, None)


def test_open_documents_under_a_lease_are_left_alone() -> None:
    drifted = DriftWorld()
    row = drifted.world.row(KEY)
    assert row is not None
    busy = replace(
        row, state=DocumentState.INDEXING, lease_owner="w", lease_until=drifted.world.clock.now() + LEASE_S
    )
    drifted.ledger.rows[row.tenant, row.document_id] = replace(busy, updated_at=0.0)

    assert _sweep_now(drifted).swept == {}


def test_what_is_swept_is_counted_by_kind() -> None:
    drifted = DriftWorld()
    INJECTIONS["chunks of the past"][1](drifted, KEY)

    assert _sweep_now(drifted).swept == {DriftKind.ORPHAN_CHUNKS.value: 1}
