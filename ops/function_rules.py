"""Rules about functions that end with an error of Lambda's own: crashes, time-outs, a start that fails."""

from haylift.telemetry import Metric

from ops.diagnosis import OPS, Cause, Severity, listed, of, window
from ops.measurements import AwsMetric
from ops.state import Snapshot

AUTHORIZER = "authorizer"
LEAST_FAILED = 3
FAILED_RATIO = 0.05
MOST_RATIO = 0.5
CRASHED_RATIO = 0.2
"""A single crash is repeated by its caller; a function that ends so every fifth time is broken."""

FELT = {
    "ingestion": "Uploads wait",
    "dispatch": "Uploads wait",
    "announcer": "Uploaders are told late",
    "audit": "Records of the audit come late",
    "gate": "Searches work, uploads may wait",
    "maintenance": "Searches work, nobody watches them or tidies up",
}
"""Of functions that no caller waits for."""
RUNBOOKS = {
    "ingestion": "ingestion-stuck",
    "dispatch": "ingestion-stuck",
    "announcer": "announcements-stuck",
    "audit": "dead-letters",
    "gate": "model-endpoint-failing",
    "maintenance": "heartbeat",
}


def authorizer_failing(snapshot: Snapshot) -> Cause | None:
    """The gateway answers 5xx by itself: the authorizer crashes, and no function is asked.

    The authorizer's refusals are errors of Lambda too, by the gateway's contract; those are 401 and not here.
    """
    found = snapshot.measurements
    failed, calls = found.total(AwsMetric.GATEWAY_FAILURES), found.total(AwsMetric.GATEWAY_CALLS)
    by_itself = failed - found.total(Metric.REQUEST_FAILURES) - sum(_crashed(snapshot).values())
    errors = _of(snapshot, AwsMetric.FUNCTION_ERRORS, AUTHORIZER)
    is_now = found.newest_total(AwsMetric.GATEWAY_FAILURES, snapshot.newest_minute_s)
    is_few = by_itself < LEAST_FAILED or by_itself < FAILED_RATIO * calls
    if is_few or by_itself < MOST_RATIO * failed or not errors or not is_now:
        return None
    is_most = failed >= MOST_RATIO * calls
    invocations = _of(snapshot, AwsMetric.INVOCATIONS, AUTHORIZER)
    return Cause(
        name="authorizer-failing",
        severity=Severity.OUTAGE if is_most else Severity.DEGRADED,
        felt="Most requests fail with 5xx" if is_most else "Some requests fail with 5xx",
        because=f"the authorizer fails, {of(failed, calls)} requests {window(snapshot)}",
        runbook="api-errors",
        evidence=(
            f"the authorizer ended {of(errors, max(errors, invocations))} times with an error (refusals too)",
            f"the gateway answered {by_itself:.0f} requests with 5xx that no function failed",
        ),
        commands=(f"{OPS} logs authorizer --minutes 5", f"{OPS} trace --last-failed"),
    )


def functions_crashing(snapshot: Snapshot) -> Cause | None:
    """A function ends with an error of Lambda's own, so that nobody gets an answer of it."""
    crashed = _crashed(snapshot)
    if not crashed:
        return None
    worst = next(iter(crashed))
    errors, calls = crashed[worst], _of(snapshot, AwsMetric.INVOCATIONS, worst)
    return Cause(
        name="function-crashing",
        severity=Severity.DEGRADED,
        felt=FELT.get(worst, "Some requests fail with 5xx"),
        because=f"the function {worst} crashed {of(errors, max(errors, calls))} times {window(snapshot)}",
        runbook=RUNBOOKS.get(worst, "api-errors"),
        evidence=(f"crashes by function: {listed(crashed)}",),
        commands=(f"{OPS} logs {worst} --minutes 5", f"{OPS} trace --last-failed"),
    )


def _crashed(snapshot: Snapshot) -> dict[str, float]:
    """Crashes by function, most first, of those that crash often and now; the authorizer has its own rule."""
    found, prefix = snapshot.measurements, f"haylift-{snapshot.stage}-"
    names = found.by("FunctionName", AwsMetric.FUNCTION_ERRORS)
    return {
        name.removeprefix(prefix): errors
        for name, errors in names.items()
        if name != prefix + AUTHORIZER
        and errors >= LEAST_FAILED
        and errors >= CRASHED_RATIO * found.total(AwsMetric.INVOCATIONS, FunctionName=name)
        and found.newest_total(AwsMetric.FUNCTION_ERRORS, snapshot.newest_minute_s, FunctionName=name)
    }


def _of(snapshot: Snapshot, metric: AwsMetric, function: str) -> float:
    return snapshot.measurements.total(metric, FunctionName=f"haylift-{snapshot.stage}-{function}")
