"""Every alarm is fired by its real fault and clears; a healthy system rings none."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.e2e.system import ROOT, System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1_200)]

PREFIX = "haylift-local-"
UNREACHABLE = "unreachable"
"""An alarm of the test itself, whose threshold nothing can reach: nobody may take it for a good one."""

QUIET_MINUTES = 180 if os.environ.get("HAYLIFT_CONFORMANCE") == "full" else 9
"""Of ten seconds each: 30 real minutes in `make verify`."""

ALL_LIMIT_S = 900


@dataclass(frozen=True)
class Drilled:
    """What one run of all drills gave.

    Args:
        alarms: every alarm of the stage that tells somebody, without the stage's prefix.
        notices: (alarm, state) of each message in the on-call inbox.
    """

    document: dict[str, Any]
    alarms: frozenset[str]
    notices: frozenset[tuple[str, str]]

    def times(self) -> dict[str, dict[str, Any]]:
        """Detection and clearing by alarm, of the alarms that a drill was to make ring."""
        return {one["alarm"]: one for drill in self.document["drills"] for one in drill["alarms"]}


def cloudwatch(system: System) -> Any:
    outputs = system.outputs
    return boto3.client(
        "cloudwatch", endpoint_url=outputs["aws_endpoint_url"], region_name=outputs["region"],
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def alarms_that_tell(client: Any) -> frozenset[str]:
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return frozenset(
        alarm["AlarmName"].removeprefix(PREFIX)
        for page in pages
        for alarm in (*page["MetricAlarms"], *page.get("CompositeAlarms", ()))
        if not alarm["AlarmDescription"].startswith("PART")
    )


def ops(system: System, *words: str, limit_s: float = 120) -> dict[str, Any]:
    command = [sys.executable, "-m", "ops", *words, "--json", "--state-dir", str(system.state_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit_s)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    return found if isinstance(found, dict) else {"items": found}


def take_notices(system: System) -> Iterator[tuple[str, str]]:
    while items := ops(system, "inbox", "--take")["items"]:
        yield from ((one["alarm"].removeprefix(PREFIX), one["new_state"]) for one in items)


@pytest.fixture(scope="module")
def drilled(system: System) -> Iterator[Drilled]:
    client = cloudwatch(system)
    client.put_metric_alarm(
        AlarmName=f"{PREFIX}{UNREACHABLE}", AlarmDescription="TICKET Of a test.", Namespace="Haylift",
        MetricName="model_failures", Dimensions=[{"Name": "task", "Value": "embed"}], Statistic="Sum",
        Period=60, EvaluationPeriods=1, Threshold=1e12, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )  # fmt: skip
    try:
        list(take_notices(system))
        document = ops(system, "drill", "all", "--yes", limit_s=ALL_LIMIT_S)
        yield Drilled(document, alarms_that_tell(client), frozenset(take_notices(system)))
    finally:
        client.delete_alarms(AlarmNames=[f"{PREFIX}{UNREACHABLE}"])
        client.close()


def every_alarm_was_fired_and_cleared(drilled: Drilled, alarms: Iterable[str]) -> None:
    times = drilled.times()
    unheard = [name for name in alarms if name not in times]
    unkept = [name for name, one in times.items() if one["detected_s"] is None or one["cleared_s"] is None]
    assert (unheard, unkept) == ([], [])


def both_states_were_told(drilled: Drilled, alarms: Iterable[str]) -> None:
    wanted = {(name, state) for name in alarms for state in ("ALARM", "OK")}
    assert wanted - drilled.notices == set()


def test_every_drill_is_as_promised(drilled: Drilled) -> None:
    faults = {one["name"]: one["faults"] for one in drilled.document["drills"] if not one["is_good"]}

    assert faults == {}
    assert drilled.document["left_out"] == {}


def test_every_alarm_is_fired_by_its_fault_and_clears(drilled: Drilled) -> None:
    every_alarm_was_fired_and_cleared(drilled, drilled.alarms - {UNREACHABLE})


def test_an_alarm_that_nothing_can_fire_fails_the_same_check(drilled: Drilled) -> None:
    assert UNREACHABLE in drilled.alarms
    assert UNREACHABLE in drilled.document["never_rang"]
    with pytest.raises(AssertionError, match=UNREACHABLE):
        every_alarm_was_fired_and_cleared(drilled, drilled.alarms)


def test_people_on_call_are_told_of_each_alarm_and_of_its_end(drilled: Drilled) -> None:
    both_states_were_told(drilled, drilled.alarms - {UNREACHABLE})
    with pytest.raises(AssertionError, match=UNREACHABLE):
        both_states_were_told(drilled, drilled.alarms)


def test_a_stopped_model_rings_within_two_minutes_and_clears_within_five(drilled: Drilled) -> None:
    minute_s, slack_s = 10, 15

    calls = drilled.times()["model-endpoint-failing/calls"]

    assert calls["detected_s"] <= 2 * minute_s + slack_s
    assert calls["cleared_s"] <= 5 * minute_s + slack_s


def test_a_healthy_system_with_a_redeploy_in_it_rings_no_alarm(system: System, drilled: Drilled) -> None:
    words = [
        "drill",
        "quiet",
        "--minutes",
        str(QUIET_MINUTES),
        "--json",
        "--state-dir",
        str(system.state_dir),
    ]
    quiet = subprocess.Popen(
        [sys.executable, "-m", "ops", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )

    # Other limits are other settings: every function of the API gets a new version under way.
    for limits in ("5000/50000", "off"):
        again = [
            "up",
            "--state-dir",
            str(system.state_dir),
            "--ports",
            "free",
            "--skip-demo",
            "--rate-limits",
        ]
        subprocess.run([sys.executable, "-m", "local", *again, limits], cwd=ROOT, check=True, timeout=300)
    shown, _ = quiet.communicate(timeout=QUIET_MINUTES * 10 + 300)

    document = json.loads(shown)
    assert document["rang"] == []
    assert sum(count for what, count in document["requests"].items() if what.startswith("200")) > 100
