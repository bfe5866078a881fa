"""What the first line of `ops status` says, and what it keeps quiet about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from haylift.domain.flags import Flags
from haylift.telemetry import Metric

from ops.diagnosis import Severity, diagnose
from ops.faults import EXIT_FAILED, EXIT_OK, EXIT_UNWELL
from ops.measurements import AwsMetric, Measurements
from ops.rules import RULES
from ops.state import AlarmState, Deploy, Snapshot
from ops.status import verdict_of
from tests.unit.ops.snapshots import (
    BEATING,
    FAULTS,
    FOUR_MINUTES_AGO_S,
    NOW_MINUTE_S,
    NOW_S,
    calls,
    points,
    snapshot,
    unwell,
)


def test_a_healthy_system_has_no_cause_and_exits_with_0() -> None:
    causes = diagnose(snapshot(), RULES)

    verdict = verdict_of(snapshot(), causes)

    assert causes == ()
    assert (verdict.text, verdict.exit_code) == ("Everything works", EXIT_OK)


def test_the_verdict_says_what_users_feel_with_its_numbers_and_its_runbook() -> None:
    _, seen = FAULTS["model down"]

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "Users get keyword results only, and semantic searches fail (503): "
        "14 of 15 calls of the model endpoint failed in the last 5 minutes; "
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


def test_a_slow_look_at_health_is_no_silence_of_the_api() -> None:
    _, seen = FAULTS["health slow"]

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "Everything works; answers of GET /health are slow: no answer within 3.2 s, "
        "while 39 other requests were answered"
    )
    assert verdict.exit_code == EXIT_OK


def test_a_refused_connection_is_silence_whatever_was_answered_before() -> None:
    _, slow = FAULTS["health slow"]
    seen = replace(slow, unanswered={"health": "api_unreachable: http://x cannot be reached."})

    assert [cause.name for cause in diagnose(seen, RULES)] == ["api-silent"]


def test_answers_of_some_time_ago_do_not_speak_against_silence() -> None:
    calls_before = points(
        (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 40), at_s=FOUR_MINUTES_AGO_S
    )
    seen = snapshot(
        health=None,
        measurements=Measurements(BEATING | calls_before),
        unanswered={"health": "no answer within 3.2 s"},
    )

    assert [cause.name for cause in diagnose(seen, RULES)] == ["api-silent"]


def test_the_key_is_named_in_the_command_that_enables_it() -> None:
    _, seen = FAULTS["expired key"]

    (cause, *_) = diagnose(replace(seen, signing_key_id="4f-7a"), RULES)

    assert cause.commands[-1].startswith("python -m ops keys enable 4f-7a --yes ")
    assert cause.felt == "Nobody can log in or renew a login; tokens that are out end within 15 minutes"


def test_writes_that_went_well_are_no_evidence_of_an_index_that_is_gone() -> None:
    _, gone = FAULTS["index gone"]
    wrote = points(
        (Metric.INDEX_WRITE_FAILURES, "Sum", {}, 0), (Metric.INDEX_WRITE_FAILURES, "SampleCount", {}, 21)
    )
    seen = replace(gone, measurements=Measurements(BEATING | wrote))

    (cause,) = diagnose(seen, RULES)

    assert not [text for text in cause.evidence if "writes" in text]


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
        "An alarm rings, and no cause for it is seen now: haylift-local-search-errors and 1 more "
        "since 2026-11-23T12:00:00Z; runbook docs/runbooks/search-errors.md"
    )
    assert verdict.exit_code == EXIT_UNWELL


def test_a_notice_about_the_ringing_part_is_told_as_its_likely_cause() -> None:
    _, few_rejected = FAULTS["one poison file"]
    seen = replace(few_rejected, alarms=(_alarm("documents-rejected", "ALARM", "TICKET"),))

    verdict = verdict_of(seen, diagnose(seen, RULES))

    assert verdict.text == (
        "An alarm rings: haylift-local-documents-rejected since 2026-11-23T12:00:00Z "
        "(uploads are rejected: 1 of 1 documents in the last 5 minutes (parser_limit 1)); "
        "runbook docs/runbooks/documents-rejected.md"
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_says_nothing_of_what_was_not_seen(rule: Callable[[Snapshot], object]) -> None:
    blind = Snapshot(stage="local", at_s=NOW_S, minutes=5, unanswered={"metrics": "silent"})

    assert rule(blind) is None


def test_causes_come_by_severity() -> None:
    _, flood = FAULTS["one poison file"]
    seen = replace(flood, signing_key="PendingDeletion", flags=Flags(keyword_only=True))

    found = diagnose(seen, RULES)

    assert [cause.severity for cause in found] == [Severity.OUTAGE, Severity.DEGRADED, Severity.NOTICE]


@pytest.mark.parametrize(("age_s", "causes"), [(120, []), (240, ["heartbeat-silent"])])
def test_a_new_deployment_is_given_time_for_its_first_heartbeat(age_s: int, causes: list[str]) -> None:
    at = datetime.fromtimestamp(NOW_S - age_s, UTC).isoformat()
    deploy = Deploy(stack="haylift-local-monitoring", status="CREATE_COMPLETE", at=at)

    seen = snapshot(measurements=Measurements(), deploy=deploy)

    assert [cause.name for cause in diagnose(seen, RULES)] == causes
