"""What the lab has found, each as the shortest story that shows it."""

from haylift.domain.documents import Epoch
from haylift.domain.errors import StoreUnavailable

from tests.fakes.cache import InMemoryTenants
from tests.unit.ingestion.world import KEY, World


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
