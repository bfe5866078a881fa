"""The object changes, or another worker comes, while a worker is at work."""

import pytest

from tests.unit.ingestion.world import KEY, Killed, World, index_equals_bucket, nothing
from tests.unit.ingestion.wrong_designs import (
    DeletesAndInserts,
    ForgetsLeftovers,
    Hearsay,
    RemovesWhateverIsThere,
    with_attempt,
)


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
    world.bucket.put(KEY, b"new 1\nnew 2")
    found = []
    world.after = lambda _: found.append(tuple(world.seen()))

    world.settle()

    assert set(found) == {("old 1", "old 2", "old 3"), ("new 1", "new 2")}


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
