"""States of a system for the tests of `ops status`: a healthy one, and one for each fault."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from haylift.domain.documents import Lane
from haylift.domain.flags import Flags
from haylift.domain.lanes import Holder, LaneHolds
from haylift.telemetry import Metric

from ops.measurements import AnyMetric, AwsMetric, Measurements, Point, Series
from ops.state import AlarmState, Backlog, Health, QueueState, Snapshot, SourceState

NOW_S = 1_800_000_030.0
NOW_MINUTE_S = 1_800_000_000.0
FOUR_MINUTES_AGO_S = NOW_MINUTE_S - 240

HEALTHY = Health(
    status="healthy",
    took_s=0.1,
    parts=dict.fromkeys(("index", "tables", "cache", "model_endpoint"), "healthy"),
    duration_ms_by_part={"model_endpoint": 20.0},
)


def points(
    *rows: tuple[AnyMetric, str, Mapping[str, str], float], at_s: float = NOW_MINUTE_S
) -> dict[Series, Sequence[Point]]:
    """Series of one point each: metric, statistic, dimensions, value."""
    return {
        Series(metric, statistic, tuple(sorted(dimensions.items()))): (Point(at_s, value),)
        for metric, statistic, dimensions, value in rows
    }


BEATING = points((Metric.HEARTBEATS, "Sum", {"outcome": "ok"}, 5))


def snapshot(
    *rows: tuple[AnyMetric, str, Mapping[str, str], float], health: Health | None = HEALTHY, **changes: object
) -> Snapshot:
    """A healthy system, but for the rows and the changes."""
    healthy = Snapshot(
        stage="local",
        at_s=NOW_S,
        minutes=5,
        measurements=Measurements(BEATING | points(*rows)),
        health=health,
        queues=(QueueState(name="intake", visible=0, in_flight=0, delayed=0, dead=0),),
        flags=Flags(),
        sources=(SourceState(queue="interactive", function="ingestion", state="Enabled", mapping_id="1"),),
        signing_key="Enabled",
        signing_key_id="4f-7a",
        heartbeat_rule="ENABLED",
        backlog=Backlog(documents_by_tenant={}),
    )
    return replace(healthy, **changes)  # type: ignore[arg-type]


def unwell(part: str, code: str, took_ms: float = 20.0) -> Health:
    """An answer of `GET /health` in which one part does not answer."""
    return Health(
        status="degraded",
        took_s=0.2,
        parts={**HEALTHY.parts, part: "unhealthy"},
        codes={part: code},
        duration_ms_by_part={part: took_ms},
    )


def calls(outcome: str, count: float) -> tuple[AnyMetric, str, Mapping[str, str], float]:
    """Calls of the model endpoint with one outcome."""
    return (Metric.MODEL_CALLS, "Sum", {"task": "embed", "outcome": outcome}, count)


FAULTS: dict[str, tuple[str, Snapshot]] = {
    "model down": (
        "model-endpoint-down",
        snapshot(
            calls("unavailable", 9),
            calls("open", 5),
            calls("ok", 1),
            (Metric.DEGRADED_ANSWERS, "Sum", {"reason": "no_embedding"}, 12),
            health=unwell("model_endpoint", "model_unavailable"),
        ),
    ),
    "model down, seen by metrics only": (
        "model-endpoint-down",
        snapshot(calls("unavailable", 9), calls("ok", 1), health=None),
    ),
    "model slow": (
        "model-endpoint-slow",
        snapshot(calls("timeout", 7), calls("ok", 4), health=unwell("model_endpoint", "timeout", 2_500)),
    ),
    "model slow, not yet timing out": (
        "model-endpoint-slow",
        snapshot(calls("ok", 4), health=replace(HEALTHY, duration_ms_by_part={"model_endpoint": 1_700.0})),
    ),
    "cache down": ("cache-unavailable", snapshot(health=unwell("cache", "cache_unavailable"))),
    "cache down, as the heartbeat heard": (
        "cache-unavailable",
        snapshot((Metric.DEPENDENCY_HEALTHY, "Minimum", {"dependency": "cache"}, 0), health=None),
    ),
    "index gone": ("index-unavailable", snapshot(health=unwell("index", "index_unavailable"))),
    "index of a tenant gone": (
        "index-partly-unavailable",
        snapshot(
            (Metric.DEPENDENCY_HEALTHY, "Minimum", {"dependency": "index"}, 0),
            health=replace(HEALTHY, status="degraded", parts={**HEALTHY.parts, "index": "degraded"}),
        ),
    ),
    "index of a tenant gone, as a stranger is told": (
        "index-partly-unavailable",
        snapshot(
            (Metric.DEPENDENCY_HEALTHY, "Minimum", {"dependency": "index"}, 0),
            health=Health(status="degraded", took_s=0.1),
        ),
    ),
    "index gone, as a stranger is told": (
        "index-unavailable",
        snapshot(
            (Metric.DEPENDENCY_HEALTHY, "Minimum", {"dependency": "index"}, 0),
            health=Health(status="unhealthy", took_s=0.1),
        ),
    ),
    "index drifted": (
        "index-drift",
        snapshot(
            alarms=(
                AlarmState(
                    name="haylift-local-index-drift",
                    state="ALARM",
                    severity="TICKET",
                    since="2026-11-23T12:00:00Z",
                    symptom="A reconcile found drift.",
                    runbook="docs/runbooks/index-drift.md",
                ),
            )
        ),
    ),
    "index locked": (
        "index-locked",
        snapshot(
            (Metric.INDEX_WRITE_FAILURES, "Sum", {}, 6), (Metric.INDEX_WRITE_FAILURES, "SampleCount", {}, 8)
        ),
    ),
    "tables gone": ("tables-unavailable", snapshot(health=unwell("tables", "store_unavailable"))),
    "poison files": (
        "documents-rejected",
        snapshot(
            (Metric.DOCUMENT_REJECTIONS, "Sum", {}, 12),
            (Metric.DOCUMENT_REJECTIONS, "SampleCount", {}, 14),
            (Metric.DOCUMENTS_REJECTED, "Sum", {"reason": "damaged"}, 12),
        ),
    ),
    "one poison file": (
        "documents-rejected",
        snapshot(
            (Metric.DOCUMENT_REJECTIONS, "Sum", {}, 1),
            (Metric.DOCUMENT_REJECTIONS, "SampleCount", {}, 1),
            (Metric.DOCUMENTS_REJECTED, "Sum", {"reason": "parser_limit"}, 1),
        ),
    ),
    "expired key": (
        "signing-key-unusable",
        snapshot(
            (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 40),
            (AwsMetric.GATEWAY_REFUSALS, "Sum", {"ApiName": "haylift-local-api"}, 38),
            signing_key="Disabled",
        ),
    ),
    "tokens refused": (
        "tokens-refused",
        snapshot(
            (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 40),
            (AwsMetric.GATEWAY_REFUSALS, "Sum", {"ApiName": "haylift-local-api"}, 38),
        ),
    ),
    "queue flood": (
        "queue-flooded",
        snapshot(
            (AwsMetric.QUEUE_AGE, "Maximum", {"QueueName": "haylift-local-backfill"}, 400),
            queues=(QueueState(name="backfill", visible=900, in_flight=4, delayed=0, dead=0),),
            backlog=Backlog(documents_by_tenant={"acme": 850, "globex": 50}),
        ),
    ),
    "dead letters": (
        "dead-letters",
        snapshot(queues=(QueueState(name="intake", visible=0, in_flight=0, delayed=0, dead=2),)),
    ),
    "throttled": (
        "functions-throttled",
        snapshot((AwsMetric.THROTTLES, "Sum", {"FunctionName": "haylift-local-search"}, 31)),
    ),
    "paused": (
        "ingestion-paused",
        snapshot(
            sources=(
                SourceState(queue="interactive", function="ingestion", state="Disabled", mapping_id="1"),
            )
        ),
    ),
    "heartbeat switched off": ("heartbeat-silent", snapshot(heartbeat_rule="DISABLED")),
    "heartbeat silent": ("heartbeat-silent", snapshot(measurements=Measurements())),
    "load shed": ("load-shed", snapshot(flags=Flags(shed_percent=30))),
    "keyword only": ("keyword-only", snapshot(flags=Flags(keyword_only=True))),
    "errors": (
        "requests-fail",
        snapshot(
            (Metric.REQUEST_FAILURES, "Sum", {"endpoint": "/v1/documents"}, 5),
            (Metric.REQUEST_FAILURES, "SampleCount", {"endpoint": "/v1/documents"}, 20),
        ),
    ),
    "authorizer failing": (
        "authorizer-failing",
        snapshot(
            (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 94),
            (AwsMetric.GATEWAY_FAILURES, "Sum", {"ApiName": "haylift-local-api"}, 86),
            (AwsMetric.FUNCTION_ERRORS, "Sum", {"FunctionName": "haylift-local-authorizer"}, 86),
            (AwsMetric.INVOCATIONS, "Sum", {"FunctionName": "haylift-local-authorizer"}, 90),
        ),
    ),
    "a function crashing": (
        "function-crashing",
        snapshot(
            (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 60),
            (AwsMetric.GATEWAY_FAILURES, "Sum", {"ApiName": "haylift-local-api"}, 12),
            (AwsMetric.FUNCTION_ERRORS, "Sum", {"FunctionName": "haylift-local-documents"}, 12),
            (AwsMetric.INVOCATIONS, "Sum", {"FunctionName": "haylift-local-documents"}, 14),
            (AwsMetric.FUNCTION_ERRORS, "Sum", {"FunctionName": "haylift-local-authorizer"}, 4),
        ),
    ),
    "announcements late": (
        "announcements-stuck",
        snapshot(
            (AwsMetric.STREAM_AGE, "Maximum", {"FunctionName": "haylift-local-announcer"}, 90_000),
            (AwsMetric.FUNCTION_ERRORS, "Sum", {"FunctionName": "haylift-local-announcer"}, 12),
            (AwsMetric.INVOCATIONS, "Sum", {"FunctionName": "haylift-local-announcer"}, 12),
        ),
    ),
    "API silent": (
        "api-silent",
        snapshot(health=None, unanswered={"health": "no answer within 3.2 s"}),
    ),
    "health slow": (
        "health-slow",
        snapshot(
            (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 40),
            (AwsMetric.GATEWAY_FAILURES, "Sum", {"ApiName": "haylift-local-api"}, 1),
            health=None,
            unanswered={"health": "no answer within 3.2 s"},
        ),
    ),
    "gate closed": (
        "lanes-gated",
        snapshot(
            sources=(
                SourceState(queue="interactive", function="ingestion", state="Disabled", mapping_id="1"),
            ),
            lane_holds=LaneHolds(
                holders_by_lane={Lane.INTERACTIVE: frozenset({Holder.GATE})}, gate_since=NOW_S - 600
            ),
        ),
    ),
    "paused behind the gate": (
        "ingestion-paused",
        snapshot(
            sources=(
                SourceState(queue="interactive", function="ingestion", state="Disabled", mapping_id="1"),
            ),
            lane_holds=LaneHolds(holders_by_lane={Lane.INTERACTIVE: frozenset(Holder)}),
        ),
    ),
    "slow": (
        "answers-slow",
        snapshot((Metric.REQUEST_DURATION, "p95", {"endpoint": "/v1/search"}, 3.4)),
    ),
}
