"""What the lab has found, each as the shortest story that shows it."""

import pytest
from haylift.domain.documents import Epoch
from haylift.domain.errors import StoreUnavailable

from tests.fakes.cache import InMemoryTenants
from tests.unit.ingestion.world import KEY, World, index_equals_bucket, nothing


class SilentTenants(InMemoryTenants):
    """A tenants' table that does not answer."""

    def epoch(self, tenant: str) -> Epoch:
        raise StoreUnavailable("The table does not answer.")


def test_a_table_that_fails_before_the_work_begins_costs_no_attempt_and_no_lease() -> None:
    world = World()
    world.bucket.put(KEY, b"one")
    world.dispatch(*world.bucket.bodies)
    ((_, order),) = world.lanes.sent
    answering, world.ledger.tenants = world.ledger.tenants, SilentTenants()
    for _ in range(4):
        world.work(order)
    row = world.row()
    world.ledger.tenants = answering

    world.work(order)

    assert row is not None
    assert (row.attempts, row.lease_owner) == (0, "")
    assert world.seen() == ["one"]


def a_look_that_finds_nothing_is_news_to_a_worker(world: World) -> None:
    """A worker on a deletion finds an object and indexes it; meanwhile that one is deleted too.

    A version that expires then brings a look at the key, whose sequencer is above that of the deletion.
    """
    first = world.bucket.put(KEY, b"first")
    world.bucket.delete(KEY)
    _, deletion = world.bucket.bodies
    world.dispatch(deletion)
    world.bucket.put(KEY, b"back")
    world.bucket.bodies = []
    ((_, order),) = world.lanes.sent
    world.lanes.sent = []

    def everything_goes(effect: str) -> None:
        if effect == "download":
            world.after = nothing
            world.bucket.delete(KEY)
            world.bucket.expire(KEY, first)
            world.dispatch(world.bucket.bodies.pop())

    world.after = everything_goes
    world.work(order)
    world.settle()

    index_equals_bucket(world)


def test_a_look_that_finds_nothing_is_news_to_a_worker() -> None:
    a_look_that_finds_nothing_is_news_to_a_worker(World())


def test_a_ledger_that_only_notes_such_a_look_fails_the_same_check() -> None:
    world = World()
    world.ledger.notes_whatever_is_known = True

    with pytest.raises(AssertionError):
        a_look_that_finds_nothing_is_news_to_a_worker(world)
