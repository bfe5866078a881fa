"""Each fault's evidence is named first, and by its own rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from haylift.domain.flags import Flags
from haylift.telemetry import Metric

from ops.diagnosis import Rule, Severity, diagnose
from ops.faults import EXIT_FAILED, EXIT_OK, EXIT_UNWELL
from ops.measurements import AnyMetric, AwsMetric, Measurements, Point, Series
from ops.rules import RULES
from ops.state import AlarmState, Backlog, Health, QueueState, Snapshot, SourceState
from ops.status import verdict_of

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
    "API silent": (
        "api-silent",
        snapshot(health=None, unanswered={"health": "no answer within 3.2 s"}),
    ),
    "slow": (
        "answers-slow",
        snapshot((Metric.REQUEST_DURATION, "p95", {"endpoint": "/v1/search"}, 3.4)),
    ),
}


def check_named_first(seen: Snapshot, name: str, rules: Sequence[Rule]) -> None:
    """The diagnosis names this cause before all others."""
    assert [cause.name for cause in diagnose(seen, rules)][:1] == [name]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_first(fault: str) -> None:
    name, seen = FAULTS[fault]

    check_named_first(seen, name, RULES)


@pytest.mark.parametrize("fault", FAULTS)
def test_without_its_rule_a_fault_is_not_named(fault: str) -> None:
    name, seen = FAULTS[fault]
    others = [rule for rule in RULES if (cause := rule(seen)) is None or cause.name != name]

    assert len(others) == len(RULES) - 1
    with pytest.raises(AssertionError):
        check_named_first(seen, name, others)


def test_every_rule_is_fired_by_a_fault() -> None:
    fired = {rule.__name__ for _, seen in FAULTS.values() for rule in RULES if rule(seen) is not None}

    assert fired == {rule.__name__ for rule in RULES}


def test_a_healthy_system_has_no_cause_and_exits_with_0() -> None:
    causes = diagnose(snapshot(), RULES)

    verdict = verdict_of(snapshot(), causes)

    assert causes == ()
    assert (verdict.text, verdict.exit_code) == ("Everything works", EXIT_OK)


def test_the_verdict_says_what_users_feel_with_its_numbers_and_its_runbook() -> None:
    _, seen = FAULTS["model down"]

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "Users get keyword results only: 14 of 15 calls of the model endpoint failed in the last 5 minutes; "
        "runbook docs/runbooks/model-endpoint-failing.md"
    )
    assert verdict.exit_code == EXIT_UNWELL


def test_a_flood_names_the_tenant_that_sent_it() -> None:
    _, seen = FAULTS["queue flood"]

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "Searches work, uploads become searchable late: 900 documents wait, the oldest for 400 s, "
        "850 of 900 of tenant acme; runbook docs/runbooks/ingestion-stuck.md"
    )


def test_a_single_rejected_file_is_told_but_is_no_fault() -> None:
    _, seen = FAULTS["one poison file"]

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "Everything works; uploads are rejected: 1 of 1 documents in the last 5 minutes (parser_limit 1)"
    )
    assert verdict.exit_code == EXIT_OK


def test_an_outage_that_is_over_is_not_named() -> None:
    failed = points(calls("unavailable", 12), at_s=FOUR_MINUTES_AGO_S)
    seen = snapshot(measurements=Measurements(BEATING | failed | points(calls("ok", 2))))

    assert diagnose(seen, RULES) == ()


def test_an_endpoint_that_answers_again_is_not_named_for_the_minute_before() -> None:
    minute_before = points(calls("unavailable", 12), at_s=NOW_MINUTE_S - 60)
    seen = snapshot(measurements=Measurements(BEATING | minute_before))

    assert diagnose(seen, RULES) == ()
    assert [cause.name for cause in diagnose(replace(seen, health=None), RULES)] == ["model-endpoint-down"]


def test_a_slow_dependency_explains_slow_answers() -> None:
    seen = snapshot(
        calls("timeout", 9),
        (Metric.REQUEST_DURATION, "p95", {"endpoint": "/v1/search"}, 3.4),
        health=unwell("model_endpoint", "timeout", 2_500),
    )

    assert [cause.name for cause in diagnose(seen, RULES)] == ["model-endpoint-slow", "answers-slow"]


def test_without_metrics_the_heartbeat_is_not_called_silent() -> None:
    seen = snapshot(measurements=Measurements(), unanswered={"metrics": "no answer within 4 s"})

    assert diagnose(seen, RULES) == ()
    verdict = verdict_of(seen, ())
    assert verdict.text == "Cannot say how users fare: no answer from metrics (no answer within 4 s)"
    assert verdict.exit_code == EXIT_FAILED


def _alarm(name: str, state: str, severity: str) -> AlarmState:
    runbook = f"docs/runbooks/{name}.md"
    since = "2026-11-23T12:00:00Z"
    return AlarmState(
        name=f"haylift-local-{name}", state=state, severity=severity, since=since, symptom="", runbook=runbook
    )


def test_an_alarm_that_nothing_explains_is_the_verdict_pages_first() -> None:
    seen = snapshot(
        alarms=(
            _alarm("cache-unhealthy", "ALARM", "TICKET"),
            _alarm("search-errors", "ALARM", "PAGE"),
            _alarm("search-slow", "OK", "PAGE"),
        )
    )

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "An alarm rings, but no cause is seen now: haylift-local-search-errors and 1 more "
        "since 2026-11-23T12:00:00Z; runbook docs/runbooks/search-errors.md"
    )
    assert verdict.exit_code == EXIT_UNWELL


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_says_nothing_of_what_was_not_seen(rule: Callable[[Snapshot], object]) -> None:
    blind = Snapshot(stage="local", at_s=NOW_S, minutes=5, unanswered={"metrics": "silent"})

    assert rule(blind) is None


def test_causes_come_by_severity() -> None:
    _, flood = FAULTS["one poison file"]
    seen = replace(flood, signing_key="PendingDeletion", flags=Flags(keyword_only=True))

    found = diagnose(seen, RULES)

    assert [cause.severity for cause in found] == [Severity.OUTAGE, Severity.DEGRADED, Severity.NOTICE]
