"""One order for each claim, in the right lane."""

from typing import Any

import pytest
from haylift.domain.documents import DocumentKey, DocumentState, Lane, ObjectVersion
from haylift.domain.errors import StoreUnavailable
from haylift.services.dispatch import DispatchService
from haylift.telemetry import Metric

from tests.unit.ingestion.world import DOCUMENT_ID, KEY, World


def outcomes(world: World) -> list[str]:
    return [each["outcome"] for each in world.telemetry.dimensions_of(Metric.EVENTS_CLAIMED)]


def test_a_claim_sends_one_order() -> None:
    world = World()
    version_id = world.bucket.put(KEY, b"one")

    world.dispatch(*world.bucket.bodies)

    ((lane, order),) = world.lanes.sent
    assert lane is Lane.INTERACTIVE
    assert (order.tenant, order.document_id, order.key, order.revision) == ("acme", DOCUMENT_ID, KEY, 1)
    row = world.row()
    assert row is not None
    assert (row.state, row.version_id) == (DocumentState.RECEIVED, version_id)
    assert outcomes(world) == ["claimed"]


def test_a_known_event_is_sent_again_while_work_is_open_and_a_late_one_is_not() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.bucket.put(KEY, b"two")
    first, second = world.bucket.bodies

    world.dispatch(second)
    world.dispatch(second)
    world.dispatch(first)

    assert [order.revision for _, order in world.lanes.sent] == [1, 1]
    assert outcomes(world) == ["claimed", "known", "late"]


def test_a_known_event_of_a_finished_document_sends_nothing() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    bodies = list(world.bucket.bodies)
    world.settle()

    world.dispatch(*bodies)

    assert world.lanes.sent == []


def test_an_old_version_that_expires_makes_no_work() -> None:
    world = World()
    old = world.bucket.put(KEY, b"one")
    world.bucket.put(KEY, b"two")
    world.settle()
    before = world.row()
    world.bucket.expire(KEY, old)

    world.dispatch(*world.bucket.bodies)

    after = world.row()
    assert world.lanes.sent == []
    assert before is not None
    assert after is not None
    assert (after.revision, after.state) == (before.revision, DocumentState.SEARCHABLE)
    assert after.sequencer > before.sequencer


def test_bulk_and_many_open_documents_take_the_backfill_lane() -> None:
    world = World(interactive_open_limit=2)
    for name in ("bulk/1.md", "bulk/2.md", "3.md", "4.md", "5.md"):
        world.bucket.put(f"documents/acme/{name}", b"one")
    world.bucket.put("documents/other/1.md", b"one")

    world.dispatch(*world.bucket.bodies)

    lanes = [lane for lane, _ in world.lanes.sent]
    quick, slow = Lane.INTERACTIVE, Lane.BACKFILL
    assert lanes == [slow, slow, quick, quick, slow, quick]


def a_large_file_takes_the_backfill_lane(world: World) -> None:
    world.bucket.put(KEY, b"x" * 501)
    world.bucket.put("documents/acme/b.md", b"x" * 500)
    world.bucket.put("documents/acme/gone.md", b"x" * 501)
    world.bucket.delete("documents/acme/gone.md")

    world.dispatch(*world.bucket.bodies)

    # The last one is the delete marker's: nothing is left to be large.
    assert [lane for lane, _ in world.lanes.sent] == [
        Lane.BACKFILL,
        Lane.INTERACTIVE,
        Lane.BACKFILL,
        Lane.INTERACTIVE,
    ]


def test_a_large_file_takes_the_backfill_lane() -> None:
    a_large_file_takes_the_backfill_lane(World())


class BlindToSize(DispatchService):
    """Chooses the lane by the key alone."""

    def _lane(self, key: DocumentKey, _: ObjectVersion | None) -> Lane:
        return super()._lane(key, None)


def test_a_dispatcher_that_is_blind_to_size_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_large_file_takes_the_backfill_lane(World(dispatcher=BlindToSize))


def test_a_failing_store_gives_back_only_its_own_message() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.bucket.put("documents/acme/b.md", b"one")
    failures = [StoreUnavailable("The ledger does not answer.")]
    claim = world.ledger.claim

    def failing_once(*args: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(*args, **named)

    world.ledger.claim = failing_once  # type: ignore[method-assign]

    answer = world.dispatch(*world.bucket.bodies)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(world.lanes.sent) == 1


def test_an_empty_batch_is_done() -> None:
    assert World().dispatch() == {"batchItemFailures": []}


def test_a_restricted_file_is_restricted_from_its_claim_on() -> None:
    world = World()
    world.bucket.put(KEY, b"one", **{"access-groups": "hr"})

    world.dispatch(*world.bucket.bodies)

    row = world.ledger.get("acme", DOCUMENT_ID)
    assert row is not None
    assert (row.state, row.claimed_groups) == (DocumentState.RECEIVED, frozenset({"hr"}))
