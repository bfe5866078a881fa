"""A beat searches for real, asks every part, counts the documents, and always answers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from haylift.domain.errors import (
    MODEL_SLEEPING,
    CacheUnavailable,
    HayliftError,
    IndexUnavailable,
    ModelUnavailable,
    StoreUnavailable,
)
from haylift.domain.identity import Scope
from haylift.domain.search import Retrieved, SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.ports import TenantCount
from haylift.resilience import Deadline
from haylift.services.health import HealthService
from haylift.services.heartbeat import NOBODY, QUESTION, Beat, BeatOutcome, HeartbeatService
from haylift.services.probes import system_probes
from haylift.telemetry import Metric

from functions.search.contract import HEARTBEAT
from functions.search.heartbeat import with_heartbeat
from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, chunk, filled_index
from tests.unit.trace.lines import written

PARTS = ("index", "tables", "cache", "model_endpoint")


@dataclass
class FailingTenants(InMemoryTenants):
    """Tenants whose table may not answer."""

    fault: Exception | None = None

    def counts(self) -> tuple[TenantCount, ...]:
        if self.fault:
            raise self.fault
        return super().counts()

    def epoch(self, tenant: str) -> Any:
        if self.fault:
            raise self.fault
        return super().epoch(tenant)


@dataclass
class World:
    """A heartbeat over fakes: acme and globex have documents."""

    index: FaultyIndex = field(
        default_factory=lambda: filled_index(chunk("one"), chunk("two", tenant="globex"))
    )
    models: FakeModels = field(default_factory=FakeModels)
    shared: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    ledger: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    tenants: FailingTenants = field(
        default_factory=lambda: FailingTenants(documents={"acme": 3, "globex": 4, "empty": 0})
    )
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    time: FakeTime = field(default_factory=FakeTime)
    asked: list[tuple[SearchRequest, Scope, str]] = field(default_factory=list)
    service: type[HeartbeatService] = HeartbeatService
    on_run: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.pipeline = HaystackQueryPipeline(query_pipeline(self.index, self.models))
        probes = system_probes(self.index, self.shared, self.models, ledger=self.ledger, tenants=self.tenants)
        self.heartbeat = self.service(
            self,
            self.tenants,
            HealthService(probes),
            self.telemetry,
            wall_clock=self.time.now,
        )

    def run(self, request: SearchRequest, scope: Scope, generation: str, deadline: Deadline) -> Retrieved:
        """The pipeline, seen."""
        self.on_run()
        self.asked.append((request, scope, generation))
        return self.pipeline.run(request, scope, generation, deadline)

    def values(self, metric: Metric) -> list[float]:
        return [value for name, value, _ in self.telemetry.records if name is metric]

    def health(self) -> dict[str, float]:
        records = self.telemetry.records
        return {
            dimensions["dependency"]: value
            for name, value, dimensions in records
            if name is Metric.DEPENDENCY_HEALTHY
        }


def test_a_beat_searches_asks_and_counts() -> None:
    world = World()

    beat = world.heartbeat.beat()

    assert (beat.outcome, beat.code) == (BeatOutcome.OK, "")
    assert world.telemetry.dimensions_of(Metric.HEARTBEATS) == [{"outcome": "ok"}]
    assert world.values(Metric.DOCUMENTS_STORED) == [7]
    assert world.health() == dict.fromkeys(PARTS, 1)
    assert len(world.values(Metric.HEARTBEAT_DURATION)) == 1


def test_caches_are_passed_by() -> None:
    world = World()

    world.heartbeat.beat()
    world.heartbeat.beat()

    assert [request.query for request, _, _ in world.asked] == [QUESTION, QUESTION]
    assert set(world.shared.calls) <= {"check"}


def test_tenants_with_documents_take_turns_without_rights_of_a_group() -> None:
    world = World()
    for _ in range(4):
        world.heartbeat.beat()
        world.time.sleep(60.0)

    turns = [scope.tenant for _, scope, _ in world.asked]
    assert sorted(turns) == ["acme", "acme", "globex", "globex"]
    assert turns[0] != turns[1]
    assert {scope.groups for _, scope, _ in world.asked} == {frozenset()}


def test_without_documents_nobody_is_searched() -> None:
    world = World(tenants=FailingTenants())

    beat = world.heartbeat.beat()

    assert beat.outcome is BeatOutcome.OK
    assert world.asked[0][1:] == (Scope(tenant=NOBODY, groups=frozenset()), "g1")
    assert world.values(Metric.DOCUMENTS_STORED) == [0]


GONE = IndexUnavailable("gone")
FAULTS: dict[str, Callable[[], tuple[World, BeatOutcome, str, str | None]]] = {
    "index": lambda: (
        World(index=FaultyIndex(fault=GONE)), BeatOutcome.FAILED, "index_unavailable", "index",
    ),
    "model": lambda: (
        World(models=FakeModels(fault=ModelUnavailable("away"))),
        BeatOutcome.DEGRADED, "no_embeddings", "model_endpoint",
    ),
    "sleeping": lambda: (
        World(models=FakeModels(fault=ModelUnavailable("asleep", code=MODEL_SLEEPING))),
        BeatOutcome.DEGRADED, "no_embeddings", None,
    ),
    "tables": lambda: (
        World(tenants=FailingTenants(fault=StoreUnavailable("gone"))),
        BeatOutcome.FAILED, "store_unavailable", "tables",
    ),
    "cache": lambda: (World(shared=InMemorySharedCache(is_down=True)), BeatOutcome.OK, "", "cache"),
    "crash": lambda: (World(on_run=lambda: 1 // 0), BeatOutcome.FAILED, "internal_error", None),
}  # fmt: skip


def a_beat_tells_the_truth(name: str, service: type[HeartbeatService] = HeartbeatService) -> None:
    world, outcome, code, unwell = FAULTS[name]()
    if service is not HeartbeatService:
        world.service = service
        world.__post_init__()

    beat = world.heartbeat.beat()

    assert (beat.outcome, beat.code) == (outcome, code)
    assert world.telemetry.dimensions_of(Metric.HEARTBEATS) == [{"outcome": outcome.value}]
    assert world.health() == {part: int(part != unwell) for part in PARTS}


@pytest.mark.parametrize("name", FAULTS)
def test_a_beat_tells_the_truth(name: str) -> None:
    a_beat_tells_the_truth(name)


class Optimist(HeartbeatService):
    """A heartbeat that is well as long as it answers."""

    def _searched(self, counts: tuple[TenantCount, ...]) -> tuple[BeatOutcome, str]:
        super()._searched(counts)
        return BeatOutcome.OK, ""


@pytest.mark.parametrize("name", ["index", "model", "tables", "crash"])
def test_an_optimist_fails_the_same_check(name: str) -> None:
    with pytest.raises(AssertionError):
        a_beat_tells_the_truth(name, Optimist)


def test_documents_are_not_counted_without_their_table() -> None:
    world = World(tenants=FailingTenants(fault=StoreUnavailable("gone"), documents={"acme": 3}))

    world.heartbeat.beat()

    assert world.values(Metric.DOCUMENTS_STORED) == []


def test_a_beat_that_overlaps_does_nothing() -> None:
    inner: list[Beat] = []
    world = World()
    world.on_run = lambda: inner.append(world.heartbeat.beat())

    outer = world.heartbeat.beat()

    assert outer.outcome is BeatOutcome.OK
    assert inner == [Beat(outcome=BeatOutcome.OVERLAPPED)]
    assert world.telemetry.dimensions_of(Metric.HEARTBEATS) == [{"outcome": "ok"}]
    assert world.heartbeat.beat().outcome is BeatOutcome.OK


def test_a_beat_can_be_traced() -> None:
    with written() as lines:
        beat = World().heartbeat.beat()

    assert beat.request_id.startswith("heartbeat-")
    hops = lines.hops("hop", "request_id")
    assert {identifier for _, identifier in hops} == {beat.request_id}
    # The probes run in threads of their own, under the same id.
    assert {"embedding", "index", "tables", "cache", "function"} <= {name for name, _ in hops}


def test_threads_of_the_probes_end() -> None:
    World().heartbeat.beat()

    for thread in threading.enumerate():
        if thread.name.startswith("health"):
            thread.join(timeout=2.0)
            assert not thread.is_alive()


def test_the_clocks_event_is_a_beat_and_everything_else_is_a_request() -> None:
    entry = with_heartbeat(lambda event, _: {"statusCode": 200, "path": event["path"]}, World().heartbeat)

    beat = entry({"source": "haylift.heartbeat"}, None)
    answer = entry({"path": "/health", "headers": {"source": "haylift.heartbeat"}}, None)

    assert HEARTBEAT.source == "haylift.heartbeat"
    assert (beat["outcome"], beat["code"]) == ("ok", "")
    assert answer == {"statusCode": 200, "path": "/health"}


def test_a_known_fault_is_one_line_and_a_crash_has_its_traceback() -> None:
    assert issubclass(CacheUnavailable, HayliftError)
    with written("haylift.heartbeat") as known:
        World(index=FaultyIndex(fault=GONE)).heartbeat.beat()
    with written("haylift.heartbeat") as crashed:
        World(on_run=lambda: 1 // 0).heartbeat.beat()

    assert "Traceback" not in known.text
    assert "ZeroDivisionError" in crashed.text
