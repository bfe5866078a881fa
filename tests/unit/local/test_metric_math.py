"""Metric math over three periods, as "Using metric math" describes it."""

import pytest

from local.emulator.metric_expression import ExpressionFault, parse
from local.emulator.metric_math import Grid, Scope, Series, Value, evaluate
from local.emulator.metric_queries import Evaluation, QueryFault, check, check_alarm

GRID = Grid([0, 60, 120], 60)
SERIES: dict[str, Series] = {
    "errors": {0: 1, 120: 6},
    "requests": {0: 10, 60: 20, 120: 40},
    "none": {},
    "zero": {0: 0, 60: 0, 120: 0},
}


def value(expression: str) -> Value:
    scope = Scope(GRID, SERIES.__getitem__, lambda: {k: SERIES[k] for k in ("errors", "requests")})
    return evaluate(parse(expression), scope)


@pytest.mark.parametrize(
    ("expression", "points"),
    [
        ("errors / requests * 100", {0: 10, 120: 15}),
        ("errors + none", {}),
        ("FILL(errors, 0) / requests", {0: 0.1, 60: 0, 120: 0.15}),
        ("FILL(none, 7)", {0: 7, 60: 7, 120: 7}),
        ("FILL(errors, REPEAT)", {0: 1, 60: 1, 120: 6}),
        ("FILL(errors, LINEAR)", {0: 1, 60: 3.5, 120: 6}),
        ("MAX(FILL(METRICS(\"err\"), 0))", {0: 1, 60: 0, 120: 6}),
        ("requests / zero", {}),
        ("requests - MIN(requests)", {0: 0, 60: 10, 120: 30}),
        ("SUM(METRICS())", {0: 11, 60: 20, 120: 46}),
        ("AVG([errors, requests])", {0: 5.5, 60: 20, 120: 23}),
        ("MAX([errors, requests])", {0: 10, 60: 20, 120: 40}),
        ("SUM(requests)", 70), ("AVG(requests)", 70 / 3), ("MAX(requests)", 40),
        ("DATAPOINT_COUNT(errors)", 2),
        ("RATE(requests)", {60: 10 / 60, 120: 20 / 60}),
        ("DIFF(requests)", {60: 10, 120: 20}),
        ("DIFF_TIME(errors)", {120: 120}),
        ("RUNNING_SUM(requests)", {0: 10, 60: 30, 120: 70}),
        ("requests / PERIOD(requests)", {0: 10 / 60, 60: 20 / 60, 120: 40 / 60}),
        ("IF(requests > 15, requests, 0)", {0: 0, 60: 20, 120: 40}),
        ("IF(requests > 15, requests)", {60: 20, 120: 40}),
        ("IF(requests >= 20, errors, 0)", {0: 0, 120: 6}),
        ("IF(requests >= 40 OR (errors >= 1 AND errors / requests > 0.05), errors / requests, 0)",
         {0: 0.1, 120: 0.15}),
        ("IF(requests >= 40 OR (errors >= 3 AND errors / requests > 0.05), 1, 0)", {0: 0, 120: 1}),
        ("requests > 15 AND requests < 30", {0: 0, 60: 1, 120: 0}),
        ("requests > 30 || requests == 10", {0: 1, 60: 0, 120: 1}),
        ("1 + 2 * 3 ^ 2", 19), ("(1 + 2) * 3", 9), ("-2 + 5", 3), ("8 - 2 - 1", 5),
        ("TIME_SERIES(MAX(errors))", {0: 6, 60: 6, 120: 6}),
        ("CEIL(requests / 15)", {0: 1, 60: 2, 120: 3}),
    ],
)  # fmt: skip
def test_expression(expression: str, points: Value) -> None:
    assert value(expression) == pytest.approx(points)


@pytest.mark.parametrize(
    "expression",
    ["errors +", "errors requests", "(errors", "SUM(errors", "errors; 1", "__import__('os')", "unknown",
     "1 + 'a'", "ABS()", "METRICS() + METRICS()", "(" * 100 + "1" + ")" * 100],
)  # fmt: skip
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionFault):
        value(expression)


def query(name: str, expression: str = "", *, returned: bool = True, period: int = 60) -> dict[str, object]:
    found: dict[str, object] = {"Id": name, "ReturnData": returned}
    if expression:
        return {**found, "Expression": expression}
    metric = {"Namespace": "N", "MetricName": name}
    return {**found, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def test_expressions_may_use_expressions() -> None:
    queries = {"m1": query("m1"), "e1": query("e1", "e2 * 2"), "e2": query("e2", "m1 + 1")}

    evaluation = Evaluation(queries, GRID, lambda _stat: {0: 1, 60: 2})

    assert evaluation.series("e1") == [{0: 4, 60: 6}]


def test_a_circle_of_expressions_is_refused() -> None:
    queries = {"e1": query("e1", "e2"), "e2": query("e2", "e1")}

    with pytest.raises(QueryFault, match="uses itself"):
        Evaluation(queries, GRID, lambda _stat: {}).series("e1")


@pytest.mark.parametrize(
    ("queries", "why"),
    [
        ([query("M1")], "parameter Id"),
        ([query("m1"), query("m1")], "unique"),
        ([query("e1", "m2 + 1")], "Unknown id m2"),
        ([query("e1", "SEARCH('{N}', 'Sum')")], "SEARCH"),
        ([{"Id": "m1"}], "either MetricStat or Expression"),
    ],
)
def test_queries_that_do_not_fit_are_refused(queries: list[dict[str, object]], why: str) -> None:
    with pytest.raises(QueryFault, match=why):
        check(queries)


@pytest.mark.parametrize(
    ("queries", "why"),
    [
        ([query("m1"), query("m2")], "Exactly one"),
        ([query("m1", returned=False)], "Exactly one"),
        ([query("m1", period=300), query("m2", returned=False)], "same period"),
    ],
)
def test_an_alarm_watches_one_result_of_one_period(queries: list[dict[str, object]], why: str) -> None:
    with pytest.raises(QueryFault, match=why):
        check_alarm(queries)
