"""One lost index among many tenants rings in time, goes on ringing, and leaves the others ready."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from haylift.domain.errors import IndexUnavailable
from haylift.ports import TenantCount
from haylift.services import index_watch, probes
from haylift.services.health import HealthService, Status
from haylift.services.index_watch import IndexWatch, detection_minutes

from stacks.alarms.watches import probe
from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.search import FakeModels, FakeTime, chunk, filled_index
from tests.unit.search.test_heartbeat import World
from tests.unit.trace.lines import written

SIZES = (1, 2, 8, 9, 16, 24, 25, 40, 64, 100)
SHOWN = 12
"""Minutes for which it must go on ringing."""


def names(tenants: int) -> list[str]:
    return [f"t{number:03}" for number in range(tenants)]


@dataclass
class Indexes:
    """An index of each tenant, of which some are lost."""

    lost: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        for count in filled:
            self.asked.append(count.tenant)
            if count.tenant in self.lost:
                raise IndexUnavailable("gone")


class Stage:
    """The health of a system with so many tenants, asked once a minute by processes in turn."""

    def __init__(self, tenants: int, processes: int = 1) -> None:
        self.time = FakeTime()
        self.indexes = Indexes()
        self.tenants = InMemoryTenants(documents=dict.fromkeys(names(tenants), 1))
        self.processes = [self.process() for _ in range(processes)]

    def process(self) -> HealthService:
        cache = InMemorySharedCache()
        parts = probes.system_probes(
            self.indexes,  # type: ignore[arg-type]  # nothing else is asked
            cache, FakeModels(), ledger=cache, tenants=self.tenants, wall_clock=self.time.now,
        )  # fmt: skip
        return HealthService(parts, monotonic=self.time.now, wall_clock=self.time.now)

    def minute(self, service: HealthService) -> int:
        """What the alarm sees of this minute."""
        status = service.report().findings_by_name["index"].status
        self.time.sleep(60.0)
        return int(status is Status.HEALTHY)


def rings(values: list[int]) -> list[bool]:
    """The state of the deployed alarm after each minute."""
    watch = probe("index")
    last = (values[max(0, end - watch.periods) : end] for end in range(1, len(values) + 1))
    return [sum(value < watch.threshold for value in window) >= watch.breaching for window in last]


def a_lost_index_rings_and_goes_on_ringing(tenants: int, processes: int = 1) -> None:
    """Whichever tenant lost it and at whatever moment; and all is quiet soon after it is back."""
    for place in {0, tenants // 2, tenants - 1}:
        for late in range(2):
            stage = Stage(tenants, processes)
            stage.time.sleep(60.0 * late)
            service = stage.processes
            before = [stage.minute(service[n % processes]) for n in range(4)]
            stage.indexes.lost = {names(tenants)[place]}
            limit = detection_minutes(tenants)
            during = [stage.minute(service[n % processes]) for n in range(limit + SHOWN)]
            stage.indexes.lost = set()
            after = [stage.minute(service[n % processes]) for n in range(4)]

            assert before == [1] * 4
            assert all(rings(during)[limit - 1 :]), f"{tenants} tenants, {place}: {during}"
            assert not rings(during + after)[-1]


def a_lost_index_rings_without_any_memory(tenants: int) -> None:
    """Every minute another new process asks."""
    stage = Stage(tenants)
    stage.indexes.lost = {names(tenants)[-1]}

    values = [stage.minute(stage.process()) for _ in range(2 * detection_minutes(tenants))]

    assert any(rings(values[: detection_minutes(tenants)])), f"{tenants} tenants: {values}"


@pytest.mark.parametrize("tenants", SIZES)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_lost_index_rings_and_goes_on_ringing(tenants: int, processes: int) -> None:
    a_lost_index_rings_and_goes_on_ringing(tenants, processes)


@pytest.mark.parametrize("tenants", SIZES)
def test_a_lost_index_rings_without_any_memory(tenants: int) -> None:
    a_lost_index_rings_without_any_memory(tenants)


class Forgetful(IndexWatch):
    """Asks in turns and remembers nothing."""

    def _note(self, count: TenantCount, fault: IndexUnavailable | None) -> None:
        """Forgets it."""


@pytest.mark.parametrize("tenants", [24, 100])
def test_a_watch_without_memory_fails_the_same_check(tenants: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "IndexWatch", Forgetful)

    with pytest.raises(AssertionError, match="tenants"):
        a_lost_index_rings_and_goes_on_ringing(tenants)


@pytest.mark.parametrize("tenants", [24, 100])
def test_turns_of_a_minute_fail_the_same_check(tenants: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_watch, "TURN_S", 60.0)

    with pytest.raises(AssertionError, match="tenants"):
        a_lost_index_rings_without_any_memory(tenants)


def test_one_probe_asks_few_and_remembers_few() -> None:
    stage = Stage(100)
    stage.minute(stage.processes[0])
    asked_when_well = len(stage.indexes.asked)
    stage.indexes.lost = set(names(50))
    for _ in range(60):
        stage.indexes.asked.clear()
        stage.minute(stage.processes[0])

    assert asked_when_well == 8
    assert len(stage.indexes.asked) <= 12


@pytest.mark.parametrize("place", [0, 11, 23])
def test_one_tenants_lost_index_degrades_and_leaves_the_system_ready(place: int) -> None:
    stage = Stage(24)
    stage.indexes.lost = {names(24)[place]}
    service = stage.processes[0]

    overall, ready = [], set()
    with written("haylift.health") as lines:
        for _ in range(12):
            report = service.report()
            overall.append((report.status, report.findings_by_name["index"].code))
            ready.add(service.unready_reason())
            stage.time.sleep(60.0)

    assert set(overall) <= {(Status.HEALTHY, None), (Status.DEGRADED, "partly_unavailable")}
    assert set(overall[6:]) == {(Status.DEGRADED, "partly_unavailable")}
    assert ready == {None}
    assert names(24)[place] in lines.text


@pytest.mark.parametrize("tenants", [1, 2, 24])
def test_all_indexes_lost_is_not_ready(tenants: int) -> None:
    stage = Stage(tenants)
    stage.indexes.lost = set(names(tenants))

    report = stage.processes[0].report()

    assert report.status is Status.UNHEALTHY
    assert report.findings_by_name["index"].code == "index_unavailable"
    assert stage.processes[0].unready_reason() == "no answer from: index"


def test_the_heartbeat_tells_a_degraded_index_to_its_alarm() -> None:
    world = World(index=filled_index(chunk("one")))  # globex has documents too, and no index

    world.heartbeat.beat()

    assert world.health()["index"] == 0
