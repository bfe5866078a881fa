"""A whole ingestion in memory, whose processes can be killed after any effect."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from haylift.adapters.s3_events import read_object_event
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.events import IngestionOrder
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import IngestLimits, IngestParts

from functions.dispatch.app import consume as consume_events
from functions.ingestion.app import consume as consume_orders
from tests.fakes.bucket import BUCKET, MemoryBucket
from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.identity import ManualClock
from tests.fakes.index import InMemoryIndex
from tests.fakes.ingestion import MemoryLanes, MemoryLedger
from tests.fakes.lines_pipeline import LinesPipeline
from tests.fakes.texts import MemoryTexts

LEASE_S = 150.0
MOST_ORDERS = 1_000
"""No test leaves more orders in the lanes, those that come again included."""

KEY = "documents/acme/a.md"
DOCUMENT_ID = DocumentKey.parse(KEY).document_id


class Killed(KeyboardInterrupt):
    """The process is gone: nothing of it runs any more."""


class Stepped:
    """Passes calls on and tells of each one when its effect is done."""

    def __init__(self, target: Any, after: Callable[[str], None]) -> None:
        self._target = target
        self._after = after

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            result = attribute(*args, **kwargs)
            self._after(name)
            return result

        return call


class Steps:
    """Counts the turns of a loop that waits for queues to run empty.

    More of them than that is a fault of its own: no assertion, so that no twin takes it for its failure.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("The queues never run empty: a message fails each time.")


def nothing(_: str) -> None:
    """No process is killed."""


@dataclass
class World:
    """Bucket, ledger, index, cache and lanes; `dispatcher` and `worker` can be wrong designs.

    `after` is called after each effect of a process and may raise `Killed`.
    """

    dispatcher: type[DispatchService] = DispatchService
    worker: type[IngestService] = IngestService
    after: Callable[[str], None] = nothing
    clock: ManualClock = field(default_factory=ManualClock)
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    index: InMemoryIndex = field(default_factory=InMemoryIndex)
    texts: MemoryTexts = field(default_factory=MemoryTexts)
    cache: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    lanes: MemoryLanes = field(default_factory=MemoryLanes)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    interactive_open_limit: int = 50
    interactive_max_bytes: int = 500

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)
        self.pipeline = LinesPipeline(self._stepped(self.index))

    def _stepped(self, target: Any) -> Any:
        return Stepped(target, self._tell)

    def _tell(self, name: str) -> None:
        self.after(name)

    def dispatch(self, *bodies: str) -> dict[str, Any]:
        """One batch of the intake queue."""
        service = self.dispatcher(
            ledger=self._stepped(self.ledger),
            objects=self._stepped(self.bucket),
            lanes=self._stepped(self.lanes),
            telemetry=self.telemetry,
            interactive_open_limit=self.interactive_open_limit,
            interactive_max_bytes=self.interactive_max_bytes,
        )
        return consume_events(batch(bodies), service, lambda body: read_object_event(body, BUCKET))

    def work(self, *orders: IngestionOrder, remaining_s: float = 120.0) -> dict[str, Any]:
        """One batch of a lane."""
        parts = IngestParts(
            ledger=self._stepped(self.ledger),
            objects=self._stepped(self.bucket),
            texts=self._stepped(self.texts),
            index=self._stepped(self.index),
            cache=self._stepped(self.cache),
            tenants=self.ledger.tenants,
            pipeline=self.pipeline,
            telemetry=self.telemetry,
            limits=IngestLimits(lease_s=LEASE_S, max_file_bytes=1_000),
        )
        waiting = list(orders)

        def read(_: str) -> IngestionOrder:
            return waiting.pop(0)

        event = batch([str(position) for position in range(len(orders))])
        return consume_orders(event, self.worker(parts=parts), read, remaining_s=remaining_s)

    def settle(self) -> None:
        """Delivers all events and orders that are left, each twice, as queues may."""
        bodies, self.bucket.bodies = self.bucket.bodies, []
        for body in bodies * 2:
            self.dispatch(body)
        steps = Steps(MOST_ORDERS)
        while self.lanes.sent:
            steps.take()
            _, order = self.lanes.sent.pop(0)
            self.clock.advance(LEASE_S + 1)
            self.work(order)
            self.work(order)

    def row(self, key: str = KEY) -> DocumentRecord | None:
        """The document's row."""
        parsed = DocumentKey.parse(key)
        return self.ledger.get(parsed.tenant, parsed.document_id)

    def seen(self, key: str = KEY) -> list[str]:
        """The lines of the document that readers find."""
        row = self.row(key)
        return self.lines(key, row.live_revision) if row else []

    def lines(self, key: str, revision: int) -> list[str]:
        """The lines that the index holds under a revision."""
        chunks = [each.chunk for stored in self.index.stored.values() for each in stored.values()]
        mine = [chunk for chunk in chunks if (chunk.key, chunk.revision) == (key, revision)]
        return [chunk.text for chunk in sorted(mine, key=lambda chunk: chunk.ordinal)]

    def revisions(self, key: str = KEY) -> set[int]:
        """The revisions of which the index holds chunks."""
        chunks = [each.chunk for stored in self.index.stored.values() for each in stored.values()]
        return {chunk.revision for chunk in chunks if chunk.key == key}


def batch(bodies: Any) -> dict[str, Any]:
    """Records as Lambda brings them."""
    return {
        "Records": [
            {"messageId": f"message-{position}", "body": body} for position, body in enumerate(bodies)
        ]
    }


def wanted(data: bytes | None) -> tuple[DocumentState, list[str]]:
    """What must become of an object with these bytes."""
    if data is None:
        return DocumentState.DELETED, []
    lines = data.decode().splitlines()
    return (DocumentState.REJECTED, []) if not lines or "bad" in lines else (DocumentState.SEARCHABLE, lines)


def index_equals_bucket(world: World, key: str = KEY, *, orphans_allowed: bool = False) -> None:
    """The one promise: state and chunks are those of the bucket's current version."""
    current = world.bucket.current(key)
    state, lines = wanted(current.data if current else None)
    row = world.row(key)
    if row is None:
        assert key not in world.bucket.versions
        return
    assert row.state is state, (row, state)
    assert world.seen(key) == lines
    assert bool(row.live_revision) == (state is DocumentState.SEARCHABLE)
    if state is not DocumentState.DELETED:
        assert current is not None
        assert row.version_id == current.version_id
    if not orphans_allowed:
        assert world.revisions(key) == ({row.live_revision} if lines else set())
    tenant = DocumentKey.parse(key).tenant
    live = [each for each in world.ledger.rows.values() if each.tenant == tenant and each.live_revision]
    assert world.ledger.tenants.documents.get(tenant, 0) == len(live)
    epoch = world.ledger.tenants.epoch(tenant)
    assert not epoch.content_version or world.cache.epochs[tenant] == epoch
