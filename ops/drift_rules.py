"""Rules about what the last reconcile found."""

from ops.diagnosis import OPS, Cause, Severity
from ops.state import Snapshot


def index_drift(snapshot: Snapshot) -> Cause | None:
    """Bucket, ledger and index differ: some documents are missing, old, or shown although deleted."""
    ringing = [
        alarm for alarm in snapshot.alarms if alarm.runbook.endswith("index-drift.md") and alarm.is_ringing
    ]
    if not ringing:
        return None
    return Cause(
        name="index-drift",
        severity=Severity.DEGRADED,
        felt="Some documents are missing from answers or old",
        because="the last whole reconcile found that bucket, ledger and index differ",
        runbook="index-drift",
        evidence=tuple(f"{alarm.name} since {alarm.since}: {alarm.reason}" for alarm in ringing),
        commands=(f"{OPS} reconcile", f"{OPS} audit --minutes 60 --action drift.repaired"),
    )
