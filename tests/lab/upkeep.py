"""Sweeper and reconcile, beside the workers of a run and after them."""

from typing import TYPE_CHECKING

from haylift.adapters.dynamodb_inventory import DynamoDbInventory, DynamoDbTotals
from haylift.domain.drift import Drift
from haylift.resilience import Deadline
from haylift.services.drift_repair import MaintenanceParts
from haylift.services.reconcile import ReconcileService
from haylift.services.sweep import SweepPlace, SweepService

from tests.contract.ledger.tables import LEDGER, TENANTS
from tests.fakes.maintenance import BucketView
from tests.lab.parts import Way

if TYPE_CHECKING:
    from tests.lab.ledgered import Ledgered

LIFE_S = 120.0
STUCK_AFTER_S = 900.0
SETTLE_S = 900.0
"""Longer than the lab's slowest event is on its way."""


class Upkeep:
    """The services of maintenance over the parts of a run."""

    def __init__(self, design: "Ledgered") -> None:
        self._design = design
        self._clock = design.lab.scheduler
        self._view = BucketView(design.lab.bucket, design.lab.bucket.changed_at)

    def parts(self) -> MaintenanceParts:
        """As `functions/maintenance` wires them."""
        design, clock = self._design, self._clock
        return MaintenanceParts(
            bucket=Way(design.lab, "bucket", self._view),
            rows=DynamoDbInventory(LEDGER, design.client, now=clock.now, sleep=clock.pause),
            index=design.index,
            totals=DynamoDbTotals(TENANTS, design.client),
            dispatch=design.dispatch_service(),
            clock=clock,
            settle_s=SETTLE_S,
            page=3,
        )

    def sweep(self) -> None:
        """One sweep, as far as its time reaches."""
        service = SweepService(parts=self.parts(), lanes=self._design.lanes, stuck_after_s=STUCK_AFTER_S)
        service.run(SweepPlace(), Deadline.after(LIFE_S, self._clock.now))

    def reconcile(self, *, repair: bool = True) -> tuple[Drift, ...]:
        """One whole reconcile; gives what it found."""
        service = ReconcileService(self.parts())
        place, found = service.begin(), list[Drift]()
        while (here := service.next_place(place)) is not None:
            place, drifts = service.step(here, repair=repair)
            found += drifts
        return tuple(found)
