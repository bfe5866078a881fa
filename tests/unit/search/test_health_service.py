"""Health asks every part, at once and within its time."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from haylift.adapters.host_resources import HostResources
from haylift.domain.errors import (
    MODEL_SLEEPING,
    CacheUnavailable,
    DeadlineExceeded,
    IndexUnavailable,
    ModelUnavailable,
)
from haylift.services.health import HealthReport, HealthService, Probe, Status, model_status, resource_status

from tests.fakes.search import FakeModels, FakeTime


def probe(
    name: str, fault: Exception | None = None, *, is_essential: bool = False, calls: list[str] | None = None
) -> Probe:
    def ask() -> None:
        if calls is not None:
            calls.append(name)
        if fault:
            raise fault

    return Probe(name=name, ask=ask, timeout_s=5.0, is_essential=is_essential)


def report(*probes: Probe) -> HealthReport:
    return HealthService(probes, wall_clock=FakeTime().now).report()


def test_all_parts_well_is_healthy() -> None:
    well = report(probe("index", is_essential=True), probe("cache"))

    assert well.status is Status.HEALTHY
    assert {name: one.status for name, one in well.findings_by_name.items()} == {
        "index": Status.HEALTHY,
        "cache": Status.HEALTHY,
    }
    assert well.moment.isoformat() == "2026-09-21T14:13:20+00:00"


def test_a_missing_part_lowers_the_status_and_is_named() -> None:
    ill = report(probe("index", is_essential=True), probe("cache", CacheUnavailable("gone")))

    assert ill.status is Status.DEGRADED
    assert ill.findings_by_name["cache"].code == "cache_unavailable"


def test_without_an_essential_part_it_is_unhealthy() -> None:
    ill = report(probe("index", IndexUnavailable("gone"), is_essential=True), probe("cache"))

    assert ill.status is Status.UNHEALTHY


def test_a_part_that_crashes_is_unhealthy_too() -> None:
    assert report(probe("cache", RuntimeError("?"))).findings_by_name["cache"].code == "internal_error"


def test_a_part_that_hangs_is_given_up_while_the_others_answer() -> None:
    release = threading.Event()
    hanging = Probe(
        name="cache", ask=lambda: bool(release.wait(30)) and None, timeout_s=0.05, is_essential=False
    )

    ill = report(hanging, probe("index", is_essential=True))
    release.set()

    assert ill.findings_by_name["cache"].code == "timeout"
    assert ill.findings_by_name["index"].status is Status.HEALTHY


def test_parts_are_asked_at_once() -> None:
    both_here = threading.Barrier(2, timeout=10)
    meeting = [
        Probe(name=name, ask=lambda: both_here.wait() and None, timeout_s=10.0, is_essential=False)
        for name in ("index", "cache")
    ]

    assert report(*meeting).status is Status.HEALTHY


def test_answers_are_kept_for_two_seconds() -> None:
    calls: list[str] = []
    time = FakeTime()
    service = HealthService((probe("index", is_essential=True, calls=calls),), monotonic=time.now)

    for seconds in (0.0, 1.9, 0.2):
        time.sleep(seconds)
        service.report()

    assert calls == ["index", "index"]


def test_ready_asks_essential_parts_only() -> None:
    calls: list[str] = []
    service = HealthService(
        (
            probe("index", is_essential=True, calls=calls),
            probe("tables", IndexUnavailable("gone"), is_essential=True, calls=calls),
            probe("cache", CacheUnavailable("gone"), calls=calls),
        )
    )

    assert service.unready_reason() == "no answer from: tables"
    assert sorted(calls) == ["index", "tables"]


def test_ready_without_cache_and_model() -> None:
    service = HealthService((probe("index", is_essential=True), probe("cache", CacheUnavailable("gone"))))

    assert service.unready_reason() is None


def test_a_sleeping_model_is_healthy() -> None:
    models = FakeModels(fault=ModelUnavailable("waking", code=MODEL_SLEEPING))
    asleep = Probe(
        name="model_endpoint", ask=lambda: model_status(models, 1.0), timeout_s=5.0, is_essential=False
    )

    found = report(asleep)

    assert found.status is Status.HEALTHY
    assert found.findings_by_name["model_endpoint"].status is Status.SLEEPING


@pytest.mark.parametrize("fault", [ModelUnavailable("gone"), DeadlineExceeded("slow")])
def test_a_model_that_is_gone_is_not(fault: ModelUnavailable | DeadlineExceeded) -> None:
    gone = Probe(
        name="model_endpoint",
        ask=lambda: model_status(FakeModels(fault=fault), 1.0),
        timeout_s=5.0,
        is_essential=False,
    )

    assert report(gone).status is Status.DEGRADED


def is_noticed(ask: Callable[[], None]) -> bool:
    """The check: does the report say that the index does not work?"""
    index = Probe(name="index", ask=ask, timeout_s=5.0, is_essential=True)
    return report(index).status is Status.UNHEALTHY


def test_a_dead_index_is_noticed() -> None:
    def dead() -> None:
        raise IndexUnavailable("gone")

    assert is_noticed(dead)


def test_a_probe_that_asks_nothing_notices_nothing() -> None:
    assert not is_noticed(lambda: None)


@pytest.mark.parametrize(
    ("name", "percent", "status"),
    [
        ("cpu", 89.9, Status.HEALTHY),
        ("cpu", 90.0, Status.WARNING),
        ("memory", 85.0, Status.WARNING),
        ("disk", 90.0, Status.WARNING),
    ],
)
def test_resources_warn_from_the_guides_numbers_on(name: str, percent: float, status: Status) -> None:
    assert resource_status(name, percent) is status


def test_resources_are_read_from_proc(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  100 0 100 700 100 0 0 0 0 0\n")
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n")
    resources = HostResources(proc=tmp_path, writable=tmp_path)

    first = resources.used_percent()
    (tmp_path / "stat").write_text("cpu  150 0 140 710 100 0 0 0 0 0\n")
    second = resources.used_percent()

    assert (first["cpu"], second["cpu"], first["memory"]) == (20.0, 90.0, 75.0)
    assert 0 < first["disk"] <= 100


def test_a_machine_without_proc_says_nothing(tmp_path: Path) -> None:
    assert HostResources(proc=tmp_path / "none", writable=tmp_path).used_percent() == {}
