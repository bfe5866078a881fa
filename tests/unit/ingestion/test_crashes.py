"""A worker may die after any effect; whoever comes next ends where the bucket is."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.unit.ingestion.world import KEY, MOST_ORDERS, Killed, Steps, World, index_equals_bucket
from tests.unit.ingestion.wrong_designs import NoSecondSend

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
    steps = Steps(MOST_ORDERS)
    while world.lanes.sent:
        steps.take()
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


def test_a_dispatcher_that_never_sends_again_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        every_crash_is_repaired(CASES[0], lambda: World(dispatcher=NoSecondSend))
