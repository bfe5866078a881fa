"""A worker may die after any effect; whoever comes next ends where the bucket is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest
from haylift.domain.documents import DocumentRecord
from haylift.domain.events import ObjectEvent
from haylift.domain.metadata import DocumentMetadata
from haylift.ports import Objects
from haylift.resilience import Deadline
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import Attempt

from tests.unit.ingestion.world import KEY, Killed, World, index_equals_bucket, nothing

MOST_EFFECTS = 60


@dataclass
class Case:
    """What lies in the bucket before, and what happens to it."""

    name: str
    change: Callable[[World], None]
    before: bytes | None = b"old 1\nold 2\nold 3"


def _replace(world: World) -> None:
    world.bucket.put(KEY, b"new 1\nnew 2")


def _same_bytes(world: World) -> None:
    world.bucket.put(KEY, b"old 1\nold 2\nold 3")


def _delete(world: World) -> None:
    world.bucket.delete(KEY)


def _put_bad(world: World) -> None:
    world.bucket.put(KEY, b"bad")


def _put_empty(world: World) -> None:
    world.bucket.put(KEY, b"")


def _put_and_lose_the_version(world: World) -> None:
    gone = world.bucket.put(KEY, b"gone 1\ngone 2\ngone 3\ngone 4\ngone 5")
    world.bucket.put(KEY, b"new 1")
    world.bucket.expire(KEY, gone)


def _put_and_lose_everything(world: World) -> None:
    gone = world.bucket.put(KEY, b"gone")
    world.bucket.delete(KEY)
    world.bucket.expire(KEY, gone)


def _expire_the_old_version(world: World) -> None:
    old = world.bucket.versions[KEY][0].version_id
    world.bucket.put(KEY, b"new 1")
    world.bucket.expire(KEY, old)


def _take_the_delete_marker_away(world: World) -> None:
    world.bucket.delete(KEY)
    world.bucket.expire(KEY, world.bucket.versions[KEY][-1].version_id)


def _expire_the_newest_version(world: World) -> None:
    newest = world.bucket.put(KEY, b"newest")
    world.bucket.expire(KEY, newest)


CASES = [
    Case("new", _replace, before=None),
    Case("replaced", _replace),
    Case("same bytes", _same_bytes),
    Case("deleted", _delete),
    Case("rejected", _put_bad),
    Case("empty", _put_empty),
    Case("version gone", _put_and_lose_the_version),
    Case("all versions gone", _put_and_lose_everything),
    Case("old version expired", _expire_the_old_version),
    Case("delete marker removed", _take_the_delete_marker_away),
    Case("newest version expired", _expire_the_newest_version),
]


class KilledAfter:
    """Kills the process after its effect number `last`; counts on without killing after that."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count == self.last:
            raise Killed


def every_crash_is_repaired(case: Case, make_world: Callable[[], World]) -> int:
    """Kills after effect 1, 2, 3, ... until nothing is left to kill; gives the number of crashes."""
    for last in range(1, MOST_EFFECTS):
        world = make_world()
        if case.before is not None:
            world.bucket.put(KEY, case.before)
            world.settle()
        case.change(world)
        killer = world.after = KilledAfter(last)
        _deliver_until_acknowledged(world)
        world.settle()
        index_equals_bucket(world)
        if killer.count < last:
            return last - 1
    raise AssertionError("a case has more effects than were tried")


def _deliver_until_acknowledged(world: World) -> None:
    """Queues deliver again whatever was not acknowledged; a dead process acknowledges nothing."""
    bodies, world.bucket.bodies = world.bucket.bodies, []
    for body in bodies:
        _until_acknowledged(world, lambda body=body: world.dispatch(body))  # type: ignore[misc]
    while world.lanes.sent:
        _, order = world.lanes.sent.pop(0)
        _until_acknowledged(world, lambda order=order: world.work(order))  # type: ignore[misc]


def _until_acknowledged(world: World, deliver: Callable[[], dict[str, list[object]]]) -> None:
    for _ in range(3):
        try:
            if not deliver()["batchItemFailures"]:
                return
        except Killed:
            world.clock.advance(200)
    raise AssertionError("a message was never acknowledged")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_crash_after_any_effect_is_repaired(case: Case) -> None:
    assert every_crash_is_repaired(case, World) >= 10


class NoSecondSend(DispatchService):
    """Sends an order for new claims only."""

    def dispatch(self, event: ObjectEvent) -> None:
        row = self.ledger.get(event.key.tenant, event.key.document_id)
        if row is None or row.sequencer < event.sequencer:
            super().dispatch(event)


def test_a_dispatcher_that_never_sends_again_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        every_crash_is_repaired(CASES[0], lambda: World(dispatcher=NoSecondSend))


class ForgetsLeftovers(Attempt):
    """Does not look for what a dead attempt left behind."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._has_leftovers = False


def with_attempt(kind: type[Attempt]) -> type[IngestService]:
    """A worker that makes attempts of this kind."""

    class Worker(IngestService):
        def _attempt(self, record: DocumentRecord, deadline: Deadline) -> Attempt:
            return kind(self.parts, record, deadline)

    return Worker


class BlindBucket:
    """Says of every object that it is gone."""

    def head(self, *_: str) -> None:
        return None


class Hearsay(Attempt):
    """Takes a deletion from the event alone."""

    def run(self) -> None:
        if not self._record.version_id:
            self._parts = replace(self._parts, objects=cast(Objects, BlindBucket()))
        super().run()


def a_deletion_is_looked_at(world: World) -> None:
    """The object is back before the order of its deletion is worked on."""
    world.bucket.put(KEY, b"old")
    world.settle()
    world.bucket.delete(KEY)
    (body,) = world.bucket.bodies
    world.dispatch(body)
    world.bucket.bodies = []
    world.bucket.put(KEY, b"back")
    world.bucket.bodies = []
    ((_, order),) = world.lanes.sent

    world.work(order)

    index_equals_bucket(world)


def test_a_deletion_is_looked_at() -> None:
    a_deletion_is_looked_at(World())


def test_a_deletion_by_hearsay_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_deletion_is_looked_at(World(worker=with_attempt(Hearsay)))


def a_replacement_is_never_torn(world: World) -> None:
    """After each effect readers find the old lines or the new ones, whole."""
    world.bucket.put(KEY, b"old 1\nold 2\nold 3")
    world.settle()
    _replace(world)
    found = []
    world.after = lambda _: found.append(tuple(world.seen()))

    world.settle()

    assert set(found) == {("old 1", "old 2", "old 3"), ("new 1", "new 2")}


class DeletesAndInserts(Attempt):
    """Takes the old chunks out before it writes the new ones."""

    def _write(self, file: object, content_type: str, metadata: DocumentMetadata) -> None:
        self._remove(keep_revision=0)
        super()._write(file, content_type, metadata)  # type: ignore[arg-type]


def test_a_replacement_is_never_torn() -> None:
    a_replacement_is_never_torn(World())


def test_delete_and_insert_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_replacement_is_never_torn(World(worker=with_attempt(DeletesAndInserts)))


def leftovers_of_other_bytes_do_not_stay(world: World) -> None:
    """An attempt dies after writing; its version is gone when the next attempt comes."""
    gone = world.bucket.put(KEY, b"gone 1\ngone 2\ngone 3\ngone 4")
    (body,) = world.bucket.bodies
    world.dispatch(body)
    ((_, order),) = world.lanes.sent

    def die_at_refresh(name: str) -> None:
        if name == "refresh":
            raise Killed

    world.after = die_at_refresh
    with pytest.raises(Killed):
        world.work(order)
    world.after = nothing
    world.bucket.put(KEY, b"new 1")
    world.bucket.expire(KEY, gone)
    world.clock.advance(200)

    world.work(order)

    assert world.seen() == ["new 1"]


def test_leftovers_of_other_bytes_do_not_stay() -> None:
    leftovers_of_other_bytes_do_not_stay(World())


def test_an_attempt_that_forgets_leftovers_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        leftovers_of_other_bytes_do_not_stay(World(worker=with_attempt(ForgetsLeftovers)))


class RemovesWhateverIsThere(Attempt):
    """Takes out every other revision, newer ones included."""

    def _remove(self, *, keep_revision: int) -> None:
        self._parts.index.remove(
            self._record.tenant, self._generation, self._record.document_id, keep_revision=keep_revision
        )


def a_late_worker_leaves_newer_revisions_alone(world: World) -> None:
    """A worker stops after its activation; the next revision is written before it goes on."""
    world.bucket.put(KEY, b"old")
    world.dispatch(*world.bucket.bodies)
    world.bucket.bodies = []
    ((_, first),) = world.lanes.sent
    world.lanes.sent = []

    def next_revision_comes(name: str) -> None:
        if name == "activate":
            world.after = next_worker_dies
            world.bucket.put(KEY, b"new 1\nnew 2")
            world.dispatch(*world.bucket.bodies)
            world.bucket.bodies = []
            ((_, second),) = world.lanes.sent
            try:
                world.work(second)
            except Killed:
                world.after = nothing

    def next_worker_dies(name: str) -> None:
        if name == "refresh":
            raise Killed

    world.after = next_revision_comes
    world.work(first)

    assert world.lines(KEY, 2) == ["new 1", "new 2"]


def test_a_late_worker_leaves_newer_revisions_alone() -> None:
    a_late_worker_leaves_newer_revisions_alone(World())


def test_a_worker_that_removes_whatever_is_there_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_late_worker_leaves_newer_revisions_alone(World(worker=with_attempt(RemovesWhateverIsThere)))
