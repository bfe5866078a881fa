"""The tasks of maintenance over many invocations: each goes on where the last one had to end."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from haylift.audit import SYSTEM, AuditRecord, Outcome, record
from haylift.domain.drift import LEFT_BEHIND, DriftKind
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import is_tenant_name
from haylift.ports.identity import Clock
from haylift.ports.maintenance import TaskNotes
from haylift.resilience import Deadline
from haylift.services.reconcile import ReconcileService
from haylift.services.reconcile_place import Place, Reconciliation, Stage
from haylift.services.retention import RetentionPlace, RetentionService
from haylift.services.sweep import SweepPlace, SweepService, SweepStage
from haylift.telemetry import Metric, Telemetry

SWEEP, RECONCILE, RETENTION = "sweep", "reconcile", "retention"


@dataclass(frozen=True, kw_only=True)
class ReconcileRequest:
    """What an operator asks for: one tenant or all, from the beginning or from the place of an answer."""

    repair: bool = False
    tenant: str | None = None
    place: Place | None = None

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> "ReconcileRequest":
        """The request of an invocation.

        Raises:
            InvalidInput: `invalid_request`.
        """
        try:
            tenant, place = event.get("tenant"), event.get("place")
            if tenant is not None and not is_tenant_name(tenant):
                raise ValueError("no name of a tenant")
            return cls(
                repair=bool(event.get("repair", False)),
                tenant=tenant,
                place=_reconcile_place(place) if place else None,
            )
        except (TypeError, ValueError, AttributeError):
            raise InvalidInput("This is no request for a reconcile.", code="invalid_request") from None


@dataclass(frozen=True, kw_only=True)
class MaintenanceService:
    """Runs the tasks that the clock or an operator asks for.

    Args:
        scheduled: what the clock runs; `asked`: what an operator runs, who may have a lost index made anew.
        repair: whether the clock's reconcile repairs what it finds.
        reconcile_every_s: between the beginnings of two of the clock's runs; the run after one that found
            something comes at once, to see whether it is gone.
    """

    sweeper: SweepService
    scheduled: ReconcileService
    asked: ReconcileService
    retention: RetentionService
    notes: TaskNotes
    clock: Clock
    telemetry: Telemetry
    repair: bool
    reconcile_every_s: float

    def sweep(self, deadline: Deadline) -> Mapping[str, Any]:
        """Goes on with the sweep. Raises `StoreUnavailable`; the next invocation goes on from the place."""
        noted = self._noted(SWEEP)
        place = SweepPlace(**{**noted, "stage": SweepStage(noted["stage"])}) if noted else SweepPlace()
        place, is_whole = self.sweeper.run(place, deadline)
        self._note(SWEEP, {} if is_whole else asdict(place))
        if is_whole:
            for kind, count in place.swept.items():
                self.telemetry.record(Metric.SWEPT, count, kind=kind)
        return {"swept": dict(place.swept), "is_whole": is_whole}

    def retain(self, deadline: Deadline) -> Mapping[str, Any]:
        """Goes on with what has expired. Raises `StoreUnavailable`, as `sweep`."""
        noted = self._noted(RETENTION)
        place = RetentionPlace(**noted) if noted else RetentionPlace()
        place, is_whole = self.retention.run(place, deadline)
        self._note(RETENTION, {} if is_whole else asdict(place))
        return {"expired": place.expired, "is_whole": is_whole}

    def reconcile_in_time(self, deadline: Deadline) -> Mapping[str, Any]:
        """Goes on with the clock's run, or begins one when it is time. Raises as `sweep`."""
        noted = self._noted(RECONCILE)
        is_due = self.clock.now() - noted.get("began_at", 0.0) >= self.reconcile_every_s
        if noted.get("place") is None and not is_due and not noted.get("had_drift"):
            return {"is_whole": True}
        place = _reconcile_place(noted["place"]) if noted.get("place") else self.scheduled.begin()
        done = self.scheduled.run(place, deadline, repair=self.repair)
        had_drift = any(kind not in LEFT_BEHIND for kind in done.place.found)
        self._note(
            RECONCILE,
            {
                "began_at": done.place.started_at,
                "place": None if done.is_whole else asdict(done.place),
                "had_drift": done.is_whole and had_drift,
            },
        )
        return self._answer(done, tenant=None, repair=self.repair)

    def reconcile(self, request: ReconcileRequest, deadline: Deadline) -> Mapping[str, Any]:
        """One part of an operator's run; the answer's `place` is where the next one goes on.

        Raises:
            StoreUnavailable: ask again with the same place.
        """
        place = request.place or self.asked.begin()
        done = self.asked.run(place, deadline, repair=request.repair, tenant=request.tenant)
        return self._answer(done, tenant=request.tenant, repair=request.repair)

    def _answer(self, done: Reconciliation, *, tenant: str | None, repair: bool) -> Mapping[str, Any]:
        if repair:
            for drift in done.drifts:
                record(
                    AuditRecord(
                        actor=SYSTEM,
                        tenant=drift.tenant,
                        action="drift.repaired",
                        resource=drift.document_id,
                        outcome=Outcome.ALLOWED,
                        code=drift.kind.value,
                    )
                )
        # A run over one tenant says nothing of the others.
        if done.is_whole and tenant is None and not done.place.unread:
            self._tell(done.place)
        return {
            "is_whole": done.is_whole,
            "drifts": [asdict(drift) for drift in done.drifts],
            "place": asdict(done.place),
        }

    def _tell(self, place: Place) -> None:
        """What dead workers leave is normal and the sweeper's; the rest nobody should ever see."""
        for kind in DriftKind:
            self.telemetry.record(Metric.DRIFT_FOUND, place.found.get(kind, 0), kind=kind.value)
            self.telemetry.record(Metric.DRIFT_REPAIRED, place.repaired.get(kind, 0), kind=kind.value)
        drifted = sum(count for kind, count in place.found.items() if kind not in LEFT_BEHIND)
        self.telemetry.record(Metric.INDEX_DRIFT, drifted)

    def _noted(self, task: str) -> dict[str, Any]:
        """What was noted last; nothing where it cannot be read, so that the task begins anew."""
        try:
            noted = json.loads(self.notes.read(task) or "{}")
        except ValueError:
            return {}
        return noted if isinstance(noted, dict) else {}

    def _note(self, task: str, noted: Mapping[str, Any]) -> None:
        self.notes.write(task, json.dumps(noted))


def _reconcile_place(noted: Mapping[str, Any]) -> Place:
    place = Place(**noted)
    return replace(place, stage=Stage(place.stage), unread=tuple(place.unread))
