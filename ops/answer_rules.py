"""Rules about the answers that callers get, whatever stands behind them: failing, slow, or none."""

from haylift.telemetry import Metric

from ops.diagnosis import OPS, Cause, Severity, listed, of, window
from ops.measurements import AwsMetric
from ops.state import HEALTH, METRICS, Snapshot

FAILED_RATIO = 0.05
LEAST_FAILED = 3
SLOW_S_BY_ENDPOINT = {"/v1/search": 2.0, "/v1/query": 2.5}
"""As the alarm search-slow: the production guides recommend action above 2 s; a question reranks too."""

UNREACHABLE = "api_unreachable"
ANSWERED_S = 180.0
"""CloudWatch knows the gateway's calls after one or two minutes."""


def errors_of_unknown_cause(snapshot: Snapshot) -> Cause | None:
    """Requests fail and no other rule says why."""
    found = snapshot.measurements
    failed = max(found.total(Metric.REQUEST_FAILURES), found.total(AwsMetric.GATEWAY_FAILURES))
    requests = max(found.total(Metric.REQUEST_FAILURES, "SampleCount"), found.total(AwsMetric.GATEWAY_CALLS))
    recent = found.newest_total(Metric.REQUEST_FAILURES, snapshot.newest_minute_s) + found.newest_total(
        AwsMetric.GATEWAY_FAILURES, snapshot.newest_minute_s
    )
    if failed < LEAST_FAILED or failed < FAILED_RATIO * requests or not recent:
        return None
    return Cause(
        name="requests-fail",
        severity=Severity.DEGRADED,
        felt="Some requests fail with 5xx",
        because=f"{of(failed, requests)} requests {window(snapshot)}",
        runbook="api-errors",
        evidence=(
            f"failures by endpoint: {listed(found.by('endpoint', Metric.REQUEST_FAILURES)) or 'none'}",
        ),
        commands=(f"{OPS} logs search --minutes 5 --filter '?ERROR'",),
    )


def answers_slow(snapshot: Snapshot) -> Cause | None:
    """Answers come late and no other rule says why."""
    slow = {
        endpoint: value
        for endpoint, limit_s in SLOW_S_BY_ENDPOINT.items()
        if (value := snapshot.measurements.worst(Metric.REQUEST_DURATION, "p95", endpoint=endpoint) or 0.0)
        > limit_s
    }
    if not slow:
        return None
    texts = tuple(f"p95 of {endpoint} is {value:.1f} s" for endpoint, value in slow.items())
    return Cause(
        name="answers-slow",
        severity=Severity.DEGRADED,
        felt="Users wait",
        because=f"{texts[0]} {window(snapshot)}",
        runbook="search-slow",
        evidence=texts,
        commands=(f"{OPS} logs search --minutes 5",),
    )


def api_silent(snapshot: Snapshot) -> Cause | None:
    """The API takes no connection, or answers nobody, while AWS answers: it is not our line that is down."""
    if HEALTH not in snapshot.unanswered or METRICS in snapshot.unanswered:
        return None
    why = snapshot.unanswered[HEALTH]
    if UNREACHABLE not in why and _answered(snapshot):
        return None
    return Cause(
        name="api-silent",
        severity=Severity.DEGRADED,
        felt="Users wait or get errors",
        because=f"GET /health gave no answer ({why})",
        runbook="api-errors",
        evidence=(why, f"answered at the gateway in the last 3 minutes: {_answered(snapshot):.0f} requests"),
        commands=(f"{OPS} logs search --minutes 5 --filter '?ERROR'",),
    )


def health_slow(snapshot: Snapshot) -> Cause | None:
    """Only the look at the parts takes long, as while one of them does not answer; other requests do."""
    answered = _answered(snapshot)
    if HEALTH not in snapshot.unanswered or METRICS in snapshot.unanswered or api_silent(snapshot):
        return None
    return Cause(
        name="health-slow",
        severity=Severity.NOTICE,
        felt="Answers of GET /health are slow",
        because=f"{snapshot.unanswered[HEALTH]}, while {answered:.0f} other requests were answered",
        runbook="search-slow",
        evidence=(f"answered at the gateway in the last 3 minutes: {answered:.0f} requests",),
        commands=(f"{OPS} logs search --minutes 5 --filter '?ERROR ?WARNING'",),
    )


def _answered(snapshot: Snapshot) -> float:
    """Requests of the last minutes that the gateway gave an answer of ours: not 5xx."""
    found, since_s = snapshot.measurements, snapshot.at_s - ANSWERED_S
    calls = found.newest_total(AwsMetric.GATEWAY_CALLS, since_s)
    return calls - found.newest_total(AwsMetric.GATEWAY_FAILURES, since_s)
