"""Alarms of a template on made-up metrics: a minute at a time, by the rules of CloudWatch.

Windows end at each full minute. What an alarm says is judged by the evaluator that the emulator has, which is
held to AWS's documented examples by tests of its own.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.emulator.alarm_evaluation import COMPARISONS, EXTRA_PERIODS, INSUFFICIENT, next_state
from local.emulator.metric_math import Grid, Series
from local.emulator.metric_queries import Evaluation, returns_data
from tests.infra.assembly import Resource

MINUTE_S = 60
RINGING = "ALARM"

type Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""


def _percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "p95": partial(_percentile, percent=95),
    "p5": partial(_percentile, percent=5),
}


@dataclass
class World:
    """Samples of metrics by minute, counted from 0; `minutes` of them."""

    minutes: int
    samples: dict[Key, dict[int, list[float]]] = field(default_factory=dict)
    _cache: dict[tuple[Key, str, int, int], float | None] = field(default_factory=dict)

    def put(self, key: Key, values: Sequence[float], minutes: range | None = None) -> None:
        """Makes `values` the samples of each of `minutes`, by default of all; none is a gap."""
        of_metric = self.samples.setdefault(key, {})
        for minute in minutes if minutes is not None else range(self.minutes):
            of_metric[minute] = list(values)

    def statistic(self, key: Key, name: str, start: int, length: int) -> float | None:
        """Of the minutes from `start` on; None without data."""
        cached = (key, name, start, length)
        if cached not in self._cache:
            of_metric = self.samples.get(key, {})
            found = [value for m in range(start, start + length) for value in of_metric.get(m, ())]
            self._cache[cached] = float(STATISTICS[name](found)) if found else None
        return self._cache[cached]


def key_of(metric: Mapping[str, Any]) -> Key:
    """The metric that a template names; what CloudFormation fills in is its JSON."""
    return (
        metric["Namespace"],
        metric["MetricName"],
        frozenset((d["Name"], _text(d["Value"])) for d in metric.get("Dimensions", [])),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _period_minutes(alarm: Resource) -> int:
    periods = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return int(periods[0] if periods else alarm["Period"]) // MINUTE_S


def values_at(alarm: Resource, world: World, end: int) -> list[float | None]:
    """What the alarm compares, oldest period first, when minute `end` begins."""
    length = _period_minutes(alarm)
    starts = [end - length * back for back in range(alarm["EvaluationPeriods"] + EXTRA_PERIODS, 0, -1)]
    if "Metrics" not in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return [world.statistic(key_of(alarm), statistic, start, length) for start in starts]

    def series_of(stat: Mapping[str, Any]) -> Series:
        key = key_of(stat["Metric"])
        points = {float(start): world.statistic(key, stat["Stat"], start, length) for start in starts}
        return {time: value for time, value in points.items() if value is not None}

    queries = {query["Id"]: query for query in alarm["Metrics"]}
    (shown,) = [name for name, query in queries.items() if returns_data(query)]
    grid = Grid([float(start) for start in starts], float(length))
    (series,) = Evaluation(queries, grid, series_of).series(shown)
    return [series.get(float(start)) for start in starts]


def states_of(alarm: Resource, world: World) -> list[str]:
    """The state after each minute of the world."""
    compare, threshold = COMPARISONS[alarm["ComparisonOperator"]], float(alarm["Threshold"])
    state, states = INSUFFICIENT, []
    for end in range(1, world.minutes + 1):
        found = values_at(alarm, world, end)
        state = next_state(
            [None if value is None else compare(value, threshold) for value in found],
            periods=alarm["EvaluationPeriods"],
            to_alarm=int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]),
            missing=alarm.get("TreatMissingData", "missing"),
            state=state,
        )
        states.append(state)
    return states


def composite_states(
    rule: object, parts: Mapping[str, Resource], states: Mapping[str, list[str]]
) -> list[str]:
    """The states of a composite alarm; `parts` by logical id, `states` by the same."""
    text = _rule_text(rule)
    for logical_id in parts:
        text = text.replace(f"ALARM({logical_id})", f"ringing['{logical_id}']")
    expression = re.sub(r"\bAND\b", "and", re.sub(r"\bOR\b", "or", re.sub(r"\bNOT\b", "not", text)))
    minutes = len(next(iter(states.values())))
    code = compile(expression, "rule", "eval")
    return [
        RINGING if eval(code, {"ringing": {n: s[m] == RINGING for n, s in states.items()}}) else "OK"
        for m in range(minutes)
    ]


def _rule_text(rule: Any) -> str:
    """The rule with logical ids for the ARNs that CloudFormation fills in, and without quotes."""
    pieces = rule["Fn::Join"][1] if isinstance(rule, dict) else [rule]
    texts = [piece if isinstance(piece, str) else piece["Fn::GetAtt"][0] for piece in pieces]
    return "".join(texts).replace('"', "")
