"""An ingestion in memory that drifts, with its sweeper and its reconcile."""

from dataclasses import dataclass, field

from haylift.domain.drift import Drift, DriftKind
from haylift.ports.metadata import MetadataReader
from haylift.services.dispatch import DispatchService
from haylift.services.drift_repair import MaintenanceParts
from haylift.services.object_metadata import HeaderMetadata
from haylift.services.reconcile import ReconcileService
from haylift.services.reconcile_place import ALL_KINDS
from haylift.services.sweep import SweepPlace, SweepService

from tests.fakes.ingestion import MemoryLedger
from tests.fakes.maintenance import BucketView, LedgerView
from tests.unit.ingestion.world import Killed, World

GENERATION = "g1"
TENANTS = ("acme", "beta")
KEYS = tuple(f"documents/{tenant}/{name}.md" for tenant in TENANTS for name in "abcdefg")
LONG_S = 100_000.0
STUCK_AFTER_S = 600.0


@dataclass
class DriftWorld:
    """Searchable documents of two tenants, some replaced, and beside them a rejected and a deleted one.

    `kinds` are those that its reconcile looks for; fewer make it a wrong design.
    """

    kinds: frozenset[DriftKind] = ALL_KINDS
    page: int = 3
    metadata: MetadataReader = field(default_factory=HeaderMetadata)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        for tenant in TENANTS:
            self.world.bucket.put(f"documents/{tenant}/rejected.md", b"bad")
            self.world.bucket.put(f"documents/{tenant}/deleted.md", b"gone")
            self.world.bucket.delete(f"documents/{tenant}/deleted.md")
        for key in KEYS:
            self.world.bucket.put(key, b"first 1\nfirst 2\nfirst 3")
        self.world.settle()
        for number, key in enumerate(KEYS[1::2]):
            self.world.bucket.put(key, f"second {number}\nsecond 2".encode())
        self.world.settle()
        self.world.clock.advance(LONG_S)

    @property
    def ledger(self) -> MemoryLedger:
        return self.world.ledger

    def parts(self) -> MaintenanceParts:
        world, stepped = self.world, self.world._stepped
        dispatcher = DispatchService(
            ledger=stepped(world.ledger),
            objects=stepped(world.bucket),
            lanes=stepped(world.lanes),
            telemetry=world.telemetry,
            interactive_open_limit=50,
            interactive_max_bytes=500,
            metadata=self.metadata,
        )
        return MaintenanceParts(
            bucket=stepped(BucketView(world.bucket)),
            rows=stepped(LedgerView(world.ledger)),
            index=stepped(world.index),
            totals=stepped(world.ledger.tenants),
            dispatch=dispatcher,
            clock=world.clock,
            settle_s=60.0,
            page=self.page,
        )

    def reconcile(self, *, repair: bool) -> tuple[Drift, ...]:
        """One whole run; a process that is killed in it is followed by one that begins where it stood."""
        service = ReconcileService(self.parts(), self.kinds)
        place, found = service.begin(), list[Drift]()
        while True:
            try:
                here = service.next_place(place)
                if here is None:
                    return tuple(found)
                place, drifts = service.step(here, repair=repair)
                found += drifts
            except Killed:
                # Another process goes on where the last whole step has ended.
                service = ReconcileService(self.parts(), self.kinds)

    def sweep(self) -> None:
        """One whole sweep, long after the last one."""
        self.world.clock.advance(STUCK_AFTER_S * 100)
        service, place = self.sweeper(), SweepPlace()
        while (here := service.next_place(place)) is not None:
            place = service.step(here)

    def sweeper(self) -> SweepService:
        """A sweeper of this world."""
        return SweepService(parts=self.parts(), lanes=self.world.lanes, stuck_after_s=STUCK_AFTER_S)

    def settle(self) -> None:
        """Workers end what is in the lanes, and the sweeper sends what a dead process did not."""
        self.world.settle()
        self.sweep()
        self.world.settle()
        self.world.clock.advance(LONG_S)
