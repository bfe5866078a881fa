"""Each fault's evidence is named first, and by its own rule."""

from collections.abc import Sequence

import pytest

from ops.diagnosis import Rule, Severity, diagnose
from ops.measurements import AwsMetric
from ops.rules import RULES
from ops.state import Snapshot
from tests.unit.ops.snapshots import FAULTS, snapshot


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


def test_an_authorizer_that_ends_most_requests_is_an_outage_and_says_where_to_look() -> None:
    cause = diagnose(FAULTS["authorizer failing"][1], RULES)[0]

    assert (cause.name, cause.severity) == ("authorizer-failing", Severity.OUTAGE)
    assert "86 of 94 requests" in cause.because
    assert cause.commands == (
        "python -m ops logs authorizer --minutes 5",
        "python -m ops trace --last-failed",
    )


def test_refused_tokens_are_no_crash_of_the_authorizer() -> None:
    refusals = snapshot(
        (AwsMetric.GATEWAY_CALLS, "Sum", {"ApiName": "haylift-local-api"}, 90),
        (AwsMetric.GATEWAY_REFUSALS, "Sum", {"ApiName": "haylift-local-api"}, 12),
        (AwsMetric.FUNCTION_ERRORS, "Sum", {"FunctionName": "haylift-local-authorizer"}, 12),
        (AwsMetric.INVOCATIONS, "Sum", {"FunctionName": "haylift-local-authorizer"}, 12),
    )

    assert diagnose(refusals, RULES) == ()
