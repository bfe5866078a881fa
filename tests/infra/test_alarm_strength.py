"""The alarms of prod as they are deployed: they ring for each fault, for nothing else, and in time.

Then each is broken in every way that a slip of the hand would break it, and the same checks must see it.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from tests.contract.drift.test_alarm_names import careless_alarms
from tests.infra.alarm_lab import RINGING, World, composite_states, states_of
from tests.infra.alarm_scenarios import STAGE, Scenario
from tests.infra.alarm_stories import SCENARIOS
from tests.infra.assembly import Resource, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

type Group = dict[str, Resource]
"""Alarms that only together tell somebody, by logical id: a composite with its parts, or a single alarm."""

STATISTICS = {
    "Sum": "SampleCount", "SampleCount": "Average", "Average": "Minimum", "Minimum": "Maximum",
    "Maximum": "Minimum", "p95": "p5",
}  # fmt: skip
FLIPPED = {
    "GreaterThanThreshold": "LessThanThreshold",
    "LessThanThreshold": "GreaterThanThreshold",
    "notBreaching": "breaching",
    "breaching": "notBreaching",
    "ignore": "notBreaching",
}


@cache
def groups() -> dict[str, Group]:
    """Every alarm that tells somebody, by its name within the stage."""
    found = {logical_id: p for _, logical_id, p in resources(templates(STAGE), "AWS::CloudWatch::Alarm")}
    composites = {i: p for _, i, p in resources(templates(STAGE), "AWS::CloudWatch::CompositeAlarm")}
    whole = {}
    for logical_id, composite in composites.items():
        parts = {name: found.pop(name) for name in list(found) if name in json.dumps(composite["AlarmRule"])}
        whole[_name(composite)] = {logical_id: composite, **parts}
    return whole | {_name(alarm): {logical_id: alarm} for logical_id, alarm in found.items()}


def _name(alarm: Resource) -> str:
    return str(alarm["AlarmName"]).removeprefix(f"haylift-{STAGE}-")


@cache
def world(scenario: str) -> World:
    """The metrics of a scenario; all alarms look at the same."""
    return SCENARIOS[scenario].world()


@cache
def states(alarm: str, scenario: str) -> list[str]:
    """The states of an alarm (JSON) in a scenario; a mutant shares all but one part with its group."""
    return states_of(json.loads(alarm), world(scenario))


def ringing_minutes(group: Group, scenario: str) -> list[int]:
    """The minutes (of the world, counted from 1) after which the group's outermost alarm rings."""
    parts = {name: alarm for name, alarm in group.items() if "AlarmRule" not in alarm}
    inner = {name: states(json.dumps(alarm), scenario) for name, alarm in parts.items()}
    composites = [alarm for alarm in group.values() if "AlarmRule" in alarm]
    if composites:
        outer = composite_states(composites[0]["AlarmRule"], parts, inner)
    else:
        (outer,) = inner.values()
    return [minute for minute, state in enumerate(outer, 1) if state == RINGING]


def fault_of(name: str, group: Group, scenario: str) -> str:
    """What is wrong with the alarm in the scenario; empty when it does what it should."""
    expected: Scenario = SCENARIOS[scenario]
    rang = ringing_minutes(group, scenario)
    begin, end = expected.fault.start, expected.fault.stop
    if name not in expected.rings:
        return f"{name} rings in minute {rang[0]} of: {scenario}" if rang else ""
    if not rang or not begin < rang[0] <= begin + expected.rings[name]:
        return f"{name} rings after {[m - begin for m in rang[:1]]} minutes of: {scenario}"
    if expected.clears_within is None:
        return "" if rang[-1] == expected.minutes else f"{name} forgets: {scenario}"
    return f"{name} does not clear after: {scenario}" if rang[-1] > end + expected.clears_within else ""


def faults_of(name: str, group: Group) -> Iterator[str]:
    """What is wrong with the alarm: what it says and whom it tells, and what it does in each scenario."""
    yield from (f"{alarm} is careless" for alarm in careless_alarms(group.values()))
    # Where it should ring a fault shows soonest.
    for scenario in sorted(SCENARIOS, key=lambda scenario: name not in SCENARIOS[scenario].rings):
        if fault := fault_of(name, group, scenario):
            yield fault


def mutants(group: Group) -> Iterator[tuple[str, Group]]:
    """The group with one thing changed, and what it was."""
    for logical_id, alarm in group.items():
        for what, change in _changes(alarm):
            yield f"{_name(alarm)}: {what}", {**group, logical_id: {**alarm, **change}}


def _changes(alarm: Resource) -> Iterator[tuple[str, Resource]]:
    if alarm.get("AlarmActions"):
        yield "tells nobody", {"AlarmActions": []}
        yield "does not tell the end", {"OKActions": []}
    if "AlarmRule" in alarm:
        text = json.dumps(alarm["AlarmRule"])
        yield "AND for OR", {"AlarmRule": json.loads(text.replace(" OR ", " AND "))}
        yield "OR for AND", {"AlarmRule": json.loads(text.replace(" AND ", " OR "))}
        return
    threshold = alarm["Threshold"]
    yield "flipped", {"ComparisonOperator": FLIPPED[alarm["ComparisonOperator"]]}
    yield "ten times", {"Threshold": threshold * 10 if threshold else 10}
    yield "a tenth", {"Threshold": threshold / 10 if threshold else -1}
    yield "silence", {"TreatMissingData": FLIPPED[alarm["TreatMissingData"]]}
    yield "slower", {"EvaluationPeriods": alarm["EvaluationPeriods"] * 6, "DatapointsToAlarm": _later(alarm)}
    if alarm["DatapointsToAlarm"] > 1:
        yield "hasty", {"DatapointsToAlarm": 1}
    yield from _metric_changes(alarm)


def _later(alarm: Resource) -> int:
    return int(alarm["DatapointsToAlarm"]) * 6


def _metric_changes(alarm: Resource) -> Iterator[tuple[str, Resource]]:
    if "Metrics" not in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        yield "other statistic", {"Statistic": STATISTICS[statistic], "ExtendedStatistic": None}
        if alarm.get("Dimensions"):
            yield "wrong dimension", {"Dimensions": _wrong(alarm["Dimensions"])}
        else:
            # What the function measures for the whole stage has no dimension: with one nobody writes it.
            yield "a dimension", {"Dimensions": [{"Name": "tenant", "Value": "nobody"}]}
        return
    for number, query in enumerate(alarm["Metrics"]):
        changed = copy.deepcopy(alarm["Metrics"])
        if "Expression" in query:
            for what, expression in _expression_changes(query["Expression"]):
                changed[number]["Expression"] = expression
                yield what, {"Metrics": copy.deepcopy(changed)}
            continue
        metric = changed[number]["MetricStat"]["Metric"]
        if metric.get("Dimensions"):
            metric["Dimensions"] = _wrong(metric["Dimensions"])
            yield f"wrong dimension of {query['Id']}", {"Metrics": changed}
        other = copy.deepcopy(alarm["Metrics"])
        other[number]["MetricStat"]["Stat"] = STATISTICS[query["MetricStat"]["Stat"]]
        yield f"other statistic of {query['Id']}", {"Metrics": other}


def _expression_changes(text: str) -> Iterator[tuple[str, str]]:
    """Each number that it compares with, put to 0, and each AND and OR exchanged."""
    for found in re.finditer(r"(>=? )[\d.]+", text):
        yield f"none of {found[0]}", f"{text[: found.start()]}{found[1]}0{text[found.end() :]}"
    for word, other in (("AND", "OR"), ("OR", "AND")):
        if f" {word} " in text:
            yield f"{other} for {word}", text.replace(f" {word} ", f" {other} ")


def _wrong(dimensions: list[Resource]) -> list[Resource]:
    first, *others = dimensions
    return [{**first, "Value": "nobody"}, *others]


EQUIVALENT: Mapping[str, str] = {
    "api-errors: other statistic of asked": "Count is 1 for each request: its sum is the number of samples.",
    "cache-unhealthy: a tenth": "A probe is 0 or 1: both thresholds lie between.",
    "heartbeat: a tenth": "Heartbeats of a minute are whole numbers: both thresholds lie between 0 and 1.",
    "index-drift: other statistic": "A whole run says one number: it is its own maximum and minimum.",
    "index-unhealthy/probe: a tenth": "A probe is 0 or 1: both thresholds lie between.",
    "model-endpoint-failing/probe: a tenth": "A probe is 0 or 1: both thresholds lie between.",
}
"""Changes that change nothing that anybody could notice, each with its reason."""


def test_every_scenario_names_alarms_that_exist() -> None:
    named = {name for scenario in SCENARIOS.values() for name in scenario.rings}

    assert named == set(groups())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_must_ring_rings_in_time_and_clears_and_nothing_else(scenario: str) -> None:
    faults = [fault_of(name, group, scenario) for name, group in groups().items()]

    assert [fault for fault in faults if fault] == []


def test_a_slip_in_any_alarm_would_be_seen() -> None:
    found = {
        what: next(faults_of(name, broken), "")
        for name, group in groups().items()
        for what, broken in mutants(group)
    }

    survivors = {what for what, fault in found.items() if not fault}
    print(f"\nalarm mutants: {len(found) - len(survivors)} of {len(found)} seen")
    assert sorted(survivors) == sorted(EQUIVALENT)
