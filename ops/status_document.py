"""The JSON of `ops status`: stable names; times in ISO 8601, durations in seconds, ratios from 0 to 1."""

from datetime import UTC, datetime
from typing import Any

from haylift.telemetry import Metric

from ops.diagnosis import Cause
from ops.logs import FUNCTIONS
from ops.measurements import AwsMetric
from ops.sources import iso
from ops.state import Snapshot


def document(snapshot: Snapshot, causes: tuple[Cause, ...], verdict: str) -> dict[str, Any]:
    """Everything that was seen; what was not seen is null or empty, and named in `unanswered`."""
    health, flags, deploy, backlog = snapshot.health, snapshot.flags, snapshot.deploy, snapshot.backlog
    return {
        "verdict": verdict,
        "stage": snapshot.stage,
        "at": iso(datetime.fromtimestamp(snapshot.at_s, UTC)),
        "minutes": snapshot.minutes,
        "causes": [_cause(cause) for cause in causes],
        "gateway": gateway(snapshot),
        "routes": routes(snapshot),
        "freshness": freshness(snapshot),
        "model_endpoint": model_endpoint(snapshot),
        "dependencies": dependencies(snapshot),
        "health": health and {"status": health.status, "took_s": round(health.took_s, 3)},
        "queues": queues(snapshot),
        "backlog": backlog and {"documents_by_tenant": dict(backlog.documents_by_tenant)},
        "functions": functions(snapshot),
        "alarms": [
            {"name": one.name, "since": one.since, "severity": one.severity, "runbook": one.runbook}
            for one in snapshot.alarms
            if one.is_telling
        ],
        "flags": flags and {"keyword_only": flags.keyword_only, "shed_percent": flags.shed_percent},
        "paused": [source.queue for source in snapshot.sources if source.is_paused],
        "heartbeat_rule": snapshot.heartbeat_rule,
        "signing_key": snapshot.signing_key,
        "last_deploy": deploy and {"stack": deploy.stack, "status": deploy.status, "at": deploy.at},
        "unanswered": dict(snapshot.unanswered),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "name": cause.name,
        "severity": cause.severity.name.lower(),
        "felt": cause.felt,
        "because": cause.because,
        "evidence": list(cause.evidence),
        "runbook": f"docs/runbooks/{cause.runbook}.md",
        "commands": list(cause.commands),
    }


def gateway(snapshot: Snapshot) -> dict[str, int]:
    """All calls of the API, also those that reached no function."""
    found = snapshot.measurements
    return {
        "requests": int(found.total(AwsMetric.GATEWAY_CALLS)),
        "refused_4xx": int(found.total(AwsMetric.GATEWAY_REFUSALS)),
        "failed_5xx": int(found.total(AwsMetric.GATEWAY_FAILURES)),
    }


def routes(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Each endpoint with requests, the busiest first."""
    found = snapshot.measurements
    requests = found.by("endpoint", Metric.REQUEST_FAILURES, "SampleCount")
    failures = found.by("endpoint", Metric.REQUEST_FAILURES)
    return [
        {
            "endpoint": endpoint,
            "requests": int(count),
            "failures": int(failures.get(endpoint, 0)),
            "error_ratio": round(failures.get(endpoint, 0) / count, 4),
            "p95_s": _rounded(found.worst(Metric.REQUEST_DURATION, "p95", endpoint=endpoint)),
        }
        for endpoint, count in requests.items()
        if count
    ]


def freshness(snapshot: Snapshot) -> dict[str, Any]:
    """How soon uploads are searchable, and how old the oldest waiting message is."""
    found = snapshot.measurements
    p95 = {
        lane: _rounded(found.worst(Metric.SEARCHABLE_AFTER, "p95", lane=lane))
        for lane in ("interactive", "backfill")
    }
    ages = [queue["oldest_s"] for queue in queues(snapshot) if queue["oldest_s"] is not None]
    return {"searchable_after_p95_s": p95, "oldest_message_s": max(ages, default=None)}


def model_endpoint(snapshot: Snapshot) -> dict[str, Any]:
    """Calls by outcome and their p95 by task."""
    found = snapshot.measurements
    calls = found.by("outcome", Metric.MODEL_CALLS)
    return {
        "calls": {outcome: int(count) for outcome, count in calls.items() if count},
        "p95_s": {
            task: _rounded(found.worst(Metric.MODEL_DURATION, "p95", task=task))
            for task in ("embed", "rerank")
        },
    }


def dependencies(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Each part: what it says now, and what the last heartbeat heard."""
    live = snapshot.health
    heard = {
        part: snapshot.measurements.newest(Metric.DEPENDENCY_HEALTHY, "Minimum", dependency=part)
        for part in ("index", "tables", "cache", "model_endpoint")
    }
    return [
        {
            "name": part,
            "now": live.parts.get(part) if live else None,
            "code": live.codes.get(part) if live else None,
            "took_ms": live.duration_ms_by_part.get(part) if live else None,
            "last_heartbeat": None if value is None else bool(value),
        }
        for part, value in heard.items()
    ]


def queues(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Each queue: messages now, dead letters, and the age of the oldest one."""
    return [
        {
            "name": queue.name,
            "visible": queue.visible,
            "in_flight": queue.in_flight,
            "delayed": queue.delayed,
            "oldest_s": _rounded(
                snapshot.measurements.newest(
                    AwsMetric.QUEUE_AGE, "Maximum", QueueName=f"haylift-{snapshot.stage}-{queue.name}"
                )
            ),
            "dead": queue.dead,
        }
        for queue in snapshot.queues
    ]


def functions(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Each function that was invoked or throttled."""
    found = snapshot.measurements
    rows = [
        {
            "name": function,
            "invocations": int(found.total(AwsMetric.INVOCATIONS, FunctionName=full_name)),
            "errors": int(found.total(AwsMetric.FUNCTION_ERRORS, FunctionName=full_name)),
            "throttles": int(found.total(AwsMetric.THROTTLES, FunctionName=full_name)),
        }
        for function in FUNCTIONS
        for full_name in (f"haylift-{snapshot.stage}-{function}",)
    ]
    return [row for row in rows if row["invocations"] or row["throttles"]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
