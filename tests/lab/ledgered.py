"""The design as it is: the services and the ledger's adapter themselves, over the lab's parts."""

from collections import Counter
from itertools import count
from typing import Any

from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_rows import Item
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.adapters.s3_events import read_object_event
from haylift.domain.documents import DocumentState, Lane
from haylift.domain.errors import HayliftError, ModelUnavailable, OutOfTurn
from haylift.domain.events import IngestionOrder
from haylift.domain.identity import Scope
from haylift.ports.search import LegQuery
from haylift.resilience import Deadline
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import MAX_ATTEMPTS, IngestLimits, IngestParts
from haylift.services.live_index import LiveIndex

from tests.contract.ledger.tables import LEDGER, TENANTS
from tests.fakes.bucket import BUCKET
from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.lines_pipeline import LinesPipeline
from tests.fakes.search import word_vector
from tests.fakes.texts import MemoryTexts
from tests.lab.dynamodb import MemoryDynamoDb
from tests.lab.lab import KEYS, TENANT, Lab, document_id
from tests.lab.oracle import Window, end_of
from tests.lab.parts import Way
from tests.lab.upkeep import Upkeep

LEASE_S = 150.0
LONG_S = 100_000.0
ANSWER_RESERVE_S = 5.0
SCOPE = Scope(tenant=TENANT, groups=frozenset())
ANYTHING = word_vector("anything")


class LabLanes:
    """`Lanes` that put the order into the lab's lane."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def send(self, lane: Lane, order: IngestionOrder) -> None:
        self._lab.lane.send(order)


class Ledgered:
    """`DispatchService`, `IngestService`, `LiveIndex` and `DynamoDbLedger`; the first two can be others."""

    dispatcher: type[DispatchService] = DispatchService
    worker: type[IngestService] = IngestService

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.tables = MemoryDynamoDb()
        self.window = Window(lab, document_id(KEYS[0]) if lab.is_steady else "")
        self.tables.on_write = self._written
        self.cache = InMemorySharedCache()
        self.telemetry = RecordedTelemetry()
        self.index = Way(lab, "index", lab.index)
        self.objects = Way(lab, "bucket", lab.bucket)
        clock = lab.scheduler
        self.client: Any = Way(lab, "table", self.tables)
        self.ledger = DynamoDbLedger(LEDGER, TENANTS, self.client, now=clock.now, sleep=clock.pause)
        self.rows = DynamoDbLedger(LEDGER, TENANTS, self.tables, now=clock.now)
        self.counts = DynamoDbTenants(TENANTS, self.tables)
        self.lanes = Way(lab, "lane", LabLanes(lab))
        self.upkeep = Upkeep(self)
        self.attempts = count(1)
        self.failed: Counter[tuple[str, int]] = Counter()
        self.live = LiveIndex(self.index, self.ledger, now=clock.now)

    def event(self, body: str) -> None:
        """One event of the intake queue."""
        self.dispatch_service().dispatch(read_object_event(body, BUCKET))

    def dispatch_service(self) -> DispatchService:
        """A dispatcher, as `functions/dispatch` wires it."""
        return self.dispatcher(
            ledger=self.ledger,
            objects=self.objects,
            lanes=self.lanes,
            telemetry=self.telemetry,
            interactive_open_limit=50,
            interactive_max_bytes=500,
        )

    def order(self, order: IngestionOrder) -> None:
        """One order of a lane."""
        now = self.lab.scheduler.now
        deadline = Deadline.after(120.0 - ANSWER_RESERVE_S, now)
        is_done = False
        try:
            service = self.worker(parts=self._parts(), new_owner=lambda: f"worker-{next(self.attempts)}")
            service.ingest(order, deadline)
            is_done = True
        except OutOfTurn:
            is_done = True
            raise
        finally:
            if not is_done:
                self.failed[order.document_id, order.revision] += 1

    def read(self) -> None:
        """Everything that a user finds, against what was live meanwhile."""
        with self.window.reading() as seen:
            query = LegQuery(text=None, vector=ANYTHING, depth=200)
            seen.extend(self.live.retrieve(query, SCOPE, "g1").semantic)

    def check(self) -> None:
        """Index, ledger and counts against the bucket, before and after a sweep; the same bytes once more."""
        for key in KEYS:
            self.check_key(key)
        self.check_counts()
        self.check_orphans()
        self.check_same_bytes()

    def tend(self, number: int) -> None:
        """Sweeps or reconciles beside the workers."""
        if number % 2:
            self.upkeep.sweep()
        else:
            self.upkeep.reconcile()

    def check_orphans(self) -> None:
        """After one sweep the index holds what is live and nothing else; a reconcile finds no drift."""
        self.lab.scheduler.time += LONG_S
        stored = self.lab.index.stored.get((TENANT, "g1"), {})
        live = self.rows.live_revisions(TENANT, {each.chunk.document_id for each in stored.values()})

        def orphans() -> list[str]:
            chunks = [each.chunk for each in stored.values()]
            return [chunk.text for chunk in chunks if live.get(chunk.document_id) != chunk.revision]

        self.lab.faults["orphans before the sweep"] += len(orphans())
        self.upkeep.sweep()
        assert not orphans(), f"the index holds orphans: {orphans()}"
        drifts = self.upkeep.reconcile(repair=False)
        assert not drifts, f"a reconcile says that the index differs: {drifts}"

    def check_key(self, key: str) -> None:
        """One document against its object."""
        row = self.rows.get(TENANT, document_id(key))
        current = self.lab.bucket.current(key)
        if row is None:
            assert key not in self.lab.bucket.versions, f"{key} was never claimed"
            return
        state, lines = end_of(current.data if current else None)
        may_be_given_up = self.failed[row.document_id, row.revision] >= MAX_ATTEMPTS
        if may_be_given_up and (row.state, row.reason) == (DocumentState.REJECTED, "repeated_failure"):
            self.lab.faults["given up after deaths"] += 1
            state, lines = DocumentState.REJECTED, []
        assert row.state is state, f"{key} is {row.state}, the bucket says {state}"
        found = self.lines(key, row.live_revision)
        assert found == lines, f"{key}: index {found}, bucket {lines}"
        assert bool(row.live_revision) == (state is DocumentState.SEARCHABLE)
        assert row.version_id == (current.version_id if current else "")

    def check_counts(self) -> None:
        """The tenant's count, and the epoch that caches go by."""
        rows = [self.rows.get(TENANT, document_id(key)) for key in KEYS]
        live = sum(1 for row in rows if row and row.live_revision)
        count = self.counts.count(TENANT)
        assert (count.documents if count else 0) == live

    def check_same_bytes(self) -> None:
        """The same bytes again: searchable under the new version, and nothing embedded."""
        embedded = self.lab.index.embedded
        again = []
        for key in self.lab.keys:
            row, current = self.rows.get(TENANT, document_id(key)), self.lab.bucket.current(key)
            if row and row.state is DocumentState.SEARCHABLE and current and current.data:
                self.lab.put(key, current.data.decode().splitlines())
                again.append(key)
        self.lab.scheduler.drain()
        for key in again:
            self.check_key(key)
        assert self.lab.index.embedded == embedded, "the same bytes were embedded again"

    def lines(self, key: str, revision: int) -> list[str]:
        """The lines that the index holds of a revision, in their order."""
        stored = self.lab.index.stored.get((TENANT, "g1"), {}).values()
        mine = [each.chunk for each in stored if (each.chunk.key, each.chunk.revision) == (key, revision)]
        return [chunk.text for chunk in sorted(mine, key=lambda chunk: chunk.ordinal)]

    def _parts(self) -> IngestParts:
        return IngestParts(
            ledger=self.ledger,
            objects=self.objects,
            texts=MemoryTexts(),
            index=self.index,
            cache=Way(self.lab, "cache", self.cache),
            tenants=DynamoDbTenants(TENANTS, self.client),
            pipeline=LinesPipeline(self.index, fault=self._model_fault),
            telemetry=self.telemetry,
            limits=IngestLimits(lease_s=LEASE_S, max_file_bytes=10_000),
        )

    def _model_fault(self) -> HayliftError | None:
        if self.lab.happens(self.lab.weather.refuse_ratio):
            self.lab.fault("refused", "model")
            return ModelUnavailable("The model does not answer.")
        return None

    def _written(self, table: str, before: Item, after: Item) -> None:
        if table == LEDGER:
            self.window.written(before, after)
