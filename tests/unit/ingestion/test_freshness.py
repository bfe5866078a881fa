"""What an uploader waits, how many files are rejected, and how many writes the index refuses."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from haylift.domain.documents import DocumentState
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports import LegQuery, TenantCount
from haylift.services.counted_index import CountedIndex
from haylift.telemetry import Metric

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.index import InMemoryIndex
from tests.unit.ingestion.world import KEY, World


def values(telemetry: RecordedTelemetry, metric: Metric) -> list[float]:
    return [value for name, value, _ in telemetry.records if name is metric]


def at(body: str, moment: str) -> str:
    """The event as S3 dates it."""
    return body.replace('{"', f'{{"time": "{moment}", "', 1)


def settle_later(world: World, moment: str) -> None:
    """An upload at `moment`, claimed at once and worked on 40 s later."""
    world.bucket.put(KEY, b"one\ntwo")
    world.bucket.bodies = [at(body, moment) for body in world.bucket.bodies]
    world.dispatch(*world.bucket.bodies)
    world.clock.advance(40.0)
    ((_, order),) = world.lanes.sent
    world.work(order)


@pytest.mark.parametrize(
    ("moment", "waited_s"),
    [
        ("2027-01-15T07:59:55Z", 45.0),  # the clock of the world starts at 08:00:00
        ("2027-01-15T08:00:09Z", 40.0),  # S3's clock is ahead of ours
        ("no time", 40.0),
    ],
)
def test_an_uploader_waits_from_the_upload_on(moment: str, waited_s: float) -> None:
    world = World()

    settle_later(world, moment)

    assert values(world.telemetry, Metric.SEARCHABLE_AFTER) == [waited_s]
    assert world.telemetry.dimensions_of(Metric.SEARCHABLE_AFTER) == [{"lane": "interactive"}]
    assert values(world.telemetry, Metric.INDEXING_DURATION) == [40.0]


def test_each_finished_document_is_a_rejection_or_none() -> None:
    world = World()
    for content in (b"one", b"bad", b"two"):
        world.bucket.put(KEY, content)
        world.settle()
    world.bucket.delete(KEY)
    world.settle()

    row = world.row()
    assert row is not None
    assert row.state is DocumentState.DELETED
    assert values(world.telemetry, Metric.DOCUMENT_REJECTIONS) == [0, 1, 0]


@dataclass
class RefusingIndex(InMemoryIndex):
    """Takes nothing while it has a fault."""

    fault: Exception | None = None
    checked: list[Any] = field(default_factory=list)

    def write(self, *args: Any) -> None:
        if self.fault:
            raise self.fault
        super().write(*args)

    def check(self, filled: Any = ()) -> None:
        self.checked += filled


def every_write_is_counted(counted: CountedIndex, index: RefusingIndex, telemetry: RecordedTelemetry) -> None:
    counted.write("acme", "g1", [])
    counted.refresh("acme", "g1")
    counted.remove("acme", "g1", "document", keep_revision=0)
    index.fault = IndexUnavailable("full")
    with pytest.raises(IndexUnavailable):
        counted.write("acme", "g1", [])

    assert values(telemetry, Metric.INDEX_WRITE_FAILURES) == [0, 0, 0, 1]


def test_every_write_is_counted() -> None:
    index, telemetry = RefusingIndex(), RecordedTelemetry()

    every_write_is_counted(CountedIndex(index, telemetry), index, telemetry)


def test_an_index_that_counts_answers_only_fails_the_same_check() -> None:
    index, telemetry = RefusingIndex(), RecordedTelemetry()

    class Forgetful(CountedIndex):
        def write(self, *args: Any) -> None:
            self._index.write(*args)
            self._telemetry.record(Metric.INDEX_WRITE_FAILURES, 0)

    with pytest.raises(AssertionError):
        every_write_is_counted(Forgetful(index, telemetry), index, telemetry)


def test_reads_pass_through_uncounted() -> None:
    index, telemetry = RefusingIndex(), RecordedTelemetry()
    counted = CountedIndex(index, telemetry)
    filled = TenantCount(tenant="acme", generation="g1", documents=1)

    found = counted.retrieve(
        LegQuery(text="x", vector=None, depth=1), Scope(tenant="acme", groups=frozenset()), "g1"
    )
    stored = counted.stored_chunk_ids("acme", "g1", "document", revision=1)
    counted.check([filled])

    assert (found.keyword, stored, index.checked) == ((), frozenset(), [filled])
    assert telemetry.records == []
