"""AWS's rules hold: no open finding, each acknowledged one with a reason at one construct."""

import copy
from typing import Any

import pytest

from stacks.acknowledgements import LEAST_REASON_CHARACTERS, acknowledge
from tests.infra.assembly import Synthesis, synthesise, validated

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

STAGES_ON_AWS = ("dev", "prod")
CHECKED = {"AwsSolutions"}

BROKEN_APP = """
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_, aws_lambda_event_sources as sources, aws_s3 as s3, aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

app = cdk.App()
stack = cdk.Stack(app, "broken")
s3.Bucket(stack, "Open")
queue = sqs.Queue(stack, "Hasty", visibility_timeout=cdk.Duration.seconds(5))
slow = lambda_.Function(
    stack, "Slow", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): pass"), timeout=cdk.Duration.seconds(60),
)
slow.add_event_source(sources.SqsEventSource(queue))
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
"""


def open_findings(synthesis: Synthesis) -> list[str]:
    """Rule and place of all that is open, warnings included; a run without a report is one finding."""
    try:
        plugins = synthesis.report()["pluginReports"]
    except FileNotFoundError:
        return [f"no report (exit status {synthesis.exit_status}): {synthesis.output[-500:]}"]
    found = [
        f"{violation['ruleName']} {place.get('constructPath')}"
        for plugin in plugins
        for violation in plugin["violations"]
        for place in violation["violatingConstructs"]
    ]
    if synthesis.exit_status != 0:
        found.append(f"exit status {synthesis.exit_status}")
    missing = CHECKED - {plugin["pluginName"] for plugin in plugins}
    return [*found, *(f"{name} did not run" for name in sorted(missing))]


def careless_acknowledgements(report: dict[str, Any]) -> list[str]:
    """Acknowledgements at an app or a stack, or with hardly a reason."""
    acknowledged = [
        entry for plugin in report["pluginReports"] for entry in plugin.get("suppressedViolations", [])
    ]
    return [
        f"{entry['acknowledgedId']} at {entry['acknowledgedAt']!r}: {entry['reason']!r}"
        for entry in acknowledged
        if "/" not in entry["acknowledgedAt"] or len(entry["reason"]) < LEAST_REASON_CHARACTERS
    ]


@pytest.mark.parametrize("stage", STAGES_ON_AWS)
def test_nothing_is_open(stage: str) -> None:
    assert open_findings(validated()[stage]) == []


@pytest.mark.parametrize("stage", STAGES_ON_AWS)
def test_each_acknowledgement_is_at_one_construct_with_a_reason(stage: str) -> None:
    report = validated()[stage].report()

    assert careless_acknowledgements(report) == []
    assert any(plugin.get("suppressedViolations") for plugin in report["pluginReports"])


def test_local_templates_pass_cdks_own_validation() -> None:
    synthesis = validated()["local"]

    violations = []
    if (synthesis.folder / "validation-report.json").exists():
        violations = [v for plugin in synthesis.report()["pluginReports"] for v in plugin["violations"]]

    assert (synthesis.exit_status, violations) == (0, [])


def test_a_broken_stack_is_found_by_both_validations() -> None:
    synthesis = synthesise({"stage": "broken"}, app=("-c", BROKEN_APP), CDK_VALIDATION="true")

    found = " ".join(open_findings(synthesis))

    assert "AwsSolutions-S1 broken/Open/Resource" in found
    assert "E3505" in found


def test_a_stack_wide_acknowledgement_would_be_seen() -> None:
    report = copy.deepcopy(validated()["dev"].report())
    entry = next(entry for p in report["pluginReports"] for entry in p.get("suppressedViolations", []))
    entry["acknowledgedAt"] = "haylift-dev-storage"

    assert len(careless_acknowledgements(report)) == 1


def test_a_short_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        acknowledge(None, "S1", "it is fine")  # type: ignore[arg-type]  # refused before it is used
