"""Tasks go on over invocations, and tell what they found once they are whole."""

from typing import Any

import pytest
from haylift.domain.errors import InvalidInput
from haylift.resilience import Deadline
from haylift.services.maintenance import MaintenanceService, ReconcileRequest
from haylift.services.reconcile import STEP_S, ReconcileService
from haylift.services.retention import RetentionService
from haylift.telemetry import Metric

from functions.maintenance.app import consume
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.maintenance import MemoryNotes
from tests.unit.maintenance.drift_injections import INJECTIONS
from tests.unit.maintenance.drift_world import KEYS, DriftWorld


def _service(drifted: DriftWorld, notes: MemoryNotes, telemetry: RecordedTelemetry) -> MaintenanceService:
    parts = drifted.parts()
    return MaintenanceService(
        sweeper=drifted.sweeper(),
        scheduled=ReconcileService(parts, leaves_lost=True),
        asked=ReconcileService(parts),
        retention=RetentionService(parts=parts),
        notes=notes,
        clock=drifted.world.clock,
        telemetry=telemetry,
        repair=True,
        reconcile_every_s=86_400.0,
    )


def _after(steps: int) -> Deadline:
    """A deadline that is over when it was asked so many times."""
    asked = iter([*[0.0] * steps, *[STEP_S * 100] * 1_000])
    return Deadline(expires_at=STEP_S * 2, now=lambda: next(asked))


def test_a_run_goes_on_where_the_invocation_before_had_to_end() -> None:
    drifted, notes, telemetry = DriftWorld(), MemoryNotes(), RecordedTelemetry()
    INJECTIONS["a chunk lost"][1](drifted, KEYS[-1])
    service = _service(drifted, notes, telemetry)

    invocations = 1
    while not service.reconcile_in_time(_after(3))["is_whole"]:
        invocations += 1

    assert invocations > 3
    told = [value for metric, value, _ in telemetry.records if metric is Metric.INDEX_DRIFT]
    assert told == [1]
    drifted.settle()
    assert drifted.reconcile(repair=False) == ()


def test_after_drift_the_next_call_looks_again_and_then_it_waits_for_a_day() -> None:
    drifted, notes, telemetry = DriftWorld(), MemoryNotes(), RecordedTelemetry()
    INJECTIONS["a chunk lost"][1](drifted, KEYS[0])
    service = _service(drifted, notes, telemetry)
    endless = Deadline(expires_at=1e12, now=lambda: 0.0)

    service.reconcile_in_time(endless)
    drifted.world.settle()
    for _ in range(3):
        service.reconcile_in_time(endless)

    assert [value for metric, value, _ in telemetry.records if metric is Metric.INDEX_DRIFT] == [1, 0]


def test_what_dead_workers_leave_rings_nothing() -> None:
    drifted, notes, telemetry = DriftWorld(), MemoryNotes(), RecordedTelemetry()
    INJECTIONS["chunks of the past"][1](drifted, KEYS[0])

    _service(drifted, notes, telemetry).reconcile_in_time(Deadline(expires_at=1e12, now=lambda: 0.0))

    assert [value for metric, value, _ in telemetry.records if metric is Metric.INDEX_DRIFT] == [0]


def test_the_clock_makes_no_new_index() -> None:
    drifted, notes, telemetry = DriftWorld(), MemoryNotes(), RecordedTelemetry()
    INJECTIONS["index lost"][1](drifted, KEYS[0])

    answer = _service(drifted, notes, telemetry).reconcile_in_time(Deadline(expires_at=1e12, now=lambda: 0.0))

    assert answer["place"]["unread"] == ("acme",)
    assert ("acme", "g1") not in drifted.world.index.stored


@pytest.mark.parametrize("source", ["haylift.sweep", "haylift.retention", "haylift.reconcile"])
def test_the_clock_calls_each_task(source: str) -> None:
    service = _service(DriftWorld(), MemoryNotes(), RecordedTelemetry())

    assert consume({"source": source}, service, remaining_s=300.0) == {"is_whole": True}


def test_an_operator_names_a_tenant() -> None:
    drifted = DriftWorld()
    INJECTIONS["a chunk lost"][1](drifted, KEYS[0])
    service = _service(drifted, MemoryNotes(), RecordedTelemetry())

    seen = consume({"task": "reconcile", "tenant": "beta"}, service, remaining_s=300.0)
    mended = consume({"task": "reconcile", "tenant": "acme", "repair": True}, service, remaining_s=300.0)

    assert seen["drifts"] == []
    assert mended["place"]["repaired"] == {"chunks_missing": 1}


@pytest.mark.parametrize(
    "event", [{"tenant": "../x"}, {"tenant": 7}, {"place": {"stage": "x"}}, {"place": "p"}]
)
def test_other_requests_are_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ReconcileRequest.read(event)
