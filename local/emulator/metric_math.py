"""Metric math: the value of an expression over the periods of a window. Pure functions.

Source: "Using metric math". A series has a point only where there is data: an operation of two series has a
point where both have one, and dividing by zero gives none. `FILL` is what puts a value into a gap.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev

from local.emulator.metric_expression import Call, ExpressionFault, Name, Number, Operation, Text, Tree

Series = dict[float, float]
"""Value by the start of its period, seconds; in the order of time."""
Value = float | str | Series | list[Series]


@dataclass(frozen=True)
class Grid:
    """The periods that an expression is evaluated for: their starts and their length, in seconds."""

    starts: Sequence[float]
    period_s: float


@dataclass(frozen=True)
class Scope:
    """What the names of an expression stand for.

    Args:
        grid: the periods.
        value_of: the value of the metric or expression with this id; KeyError when there is none.
        metrics: the series of the metrics themselves by id, for METRICS().
    """

    grid: Grid
    value_of: Callable[[str], Value]
    metrics: Callable[[], Mapping[str, Series]]


def evaluate(tree: Tree, scope: Scope) -> Value:
    """The value of a tree; `ExpressionFault` for an unknown name or function, or operands of a wrong kind."""
    match tree:
        case Number(value):
            return value
        case Text(text):
            return text
        case Name(name):
            return name if name in {"REPEAT", "LINEAR"} else _named(name, scope)
        case Operation(sign, left, right):
            return _broadcast(_SIGNS[sign], evaluate(left, scope), evaluate(right, scope))
        case Call(function, arguments):
            return _call(function, [evaluate(argument, scope) for argument in arguments], scope)


def _named(name: str, scope: Scope) -> Value:
    try:
        return scope.value_of(name)
    except KeyError as error:
        raise ExpressionFault(f"Unknown id {name} in an expression") from error


def _call(function: str, arguments: list[Value], scope: Scope) -> Value:
    known = _FUNCTIONS.get(function)
    if known is None:
        raise ExpressionFault(f"Unsupported function {function}")
    try:
        return known(scope, *arguments)
    except TypeError as error:
        raise ExpressionFault(f"Wrong operands for {function}") from error


def _quotient(left: float, right: float) -> float | None:
    return left / right if right else None


_SIGNS: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _quotient, "^": operator.pow,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le,
    ">=": operator.ge, "AND": lambda a, b: bool(a) and bool(b), "OR": lambda a, b: bool(a) or bool(b),
}  # fmt: skip


def _broadcast(work: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionFault("An operation of a string")
    if isinstance(left, list) and isinstance(right, list):
        raise ExpressionFault("An operation of two arrays")
    if isinstance(left, list):
        return [_series(_broadcast(work, each, right)) for each in left]
    if isinstance(right, list):
        return [_series(_broadcast(work, left, each)) for each in right]
    if not isinstance(left, dict) and not isinstance(right, dict):
        found = work(left, right)
        return {} if found is None else float(found)
    times = left if isinstance(left, dict) else _series(right)
    points = ((t, _at(left, t), _at(right, t)) for t in times)
    values = ((t, work(a, b)) for t, a, b in points if a is not None and b is not None)
    return {t: float(value) for t, value in values if value is not None}


def _at(value: Value, time: float) -> float | None:
    if isinstance(value, dict):
        return value.get(time)
    if isinstance(value, str | list):
        raise ExpressionFault("A number or a time series is needed")
    return value


def _series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise ExpressionFault("A time series is needed")
    return value


def _each(work: Callable[[Series], Series]) -> Callable[..., Value]:
    """A function of a series, done to each series of an array."""

    def apply(_scope: Scope, value: Value) -> Value:
        return [work(each) for each in value] if isinstance(value, list) else work(_series(value))

    return apply


def _pointwise(work: Callable[[float], float]) -> Callable[..., Value]:
    def of_series(series: Series) -> Series:
        return {t: work(v) for t, v in series.items()}

    def apply(scope: Scope, value: Value) -> Value:
        return work(value) if isinstance(value, float | int) else _each(of_series)(scope, value)

    return apply


def _aggregate(work: Callable[[list[float]], float]) -> Callable[..., Value]:
    """Of a series one number; of an array a series of the numbers that are there at each time."""

    def apply(_scope: Scope, value: Value) -> Value:
        if isinstance(value, list):
            times = sorted({t for each in value for t in each})
            return {t: work([each[t] for each in value if t in each]) for t in times}
        points = list(_series(value).values())
        return work(points) if points else {}

    return apply


def _steps(work: Callable[[float, float], float]) -> Callable[[Series], Series]:
    """From each point and the one before it; `work` gets the difference of values and of times."""

    def apply(series: Series) -> Series:
        points = list(series.items())
        return {t: work(v - v0, t - t0) for (t0, v0), (t, v) in pairwise(points)}

    return apply


def _running_sum(series: Series) -> Series:
    total, found = 0.0, {}
    for time, value in series.items():
        total += value
        found[time] = total
    return found


def _fill(scope: Scope, value: Value, filler: Value) -> Value:
    if isinstance(value, list):
        return [_series(_fill(scope, each, filler)) for each in value]
    series, found = _series(value), {}
    for time in scope.grid.starts:
        point = series.get(time, _filling(series, filler, time))
        if point is not None:
            found[time] = point
    return found


def _filling(series: Series, filler: Value, time: float) -> float | None:
    if not isinstance(filler, str):
        return _at(filler, time)
    before = max((t for t in series if t < time), default=None)
    after = min((t for t in series if t > time), default=None)
    if filler == "REPEAT" or before is None or after is None:
        return None if before is None else series[before]
    return series[before] + (series[after] - series[before]) * (time - before) / (after - before)


def _if(_scope: Scope, condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    if not isinstance(condition, dict):
        chosen = then if _at(condition, 0) else otherwise
        return {} if chosen is None else chosen
    chosen_at = {t: then if holds else otherwise for t, holds in condition.items()}
    points = ((t, None if value is None else _at(value, t)) for t, value in chosen_at.items())
    return {t: value for t, value in points if value is not None}


def _metrics(scope: Scope, part: Value = "") -> Value:
    return [series for name, series in scope.metrics().items() if str(part) in name]


def _time_series(scope: Scope, value: Value) -> Value:
    found = _at(value, 0)
    return {} if found is None else dict.fromkeys(scope.grid.starts, found)


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "[]": lambda _scope, *values: [_series(value) for value in values],
    "SUM": _aggregate(math.fsum), "AVG": _aggregate(fmean), "MIN": _aggregate(min), "MAX": _aggregate(max),
    "STDDEV": _aggregate(pstdev), "DATAPOINT_COUNT": _aggregate(lambda points: float(len(points))),
    "ABS": _pointwise(abs), "CEIL": _pointwise(math.ceil), "FLOOR": _pointwise(math.floor),
    "DIFF": _each(_steps(lambda change, _time: change)),
    "DIFF_TIME": _each(_steps(lambda _change, time: time)),
    "RATE": _each(_steps(lambda change, time: change / time)),
    "RUNNING_SUM": _each(_running_sum),
    "FILL": _fill, "IF": _if, "METRICS": _metrics, "TIME_SERIES": _time_series,
    "PERIOD": lambda scope, _value: scope.grid.period_s,
}  # fmt: skip
FUNCTIONS = frozenset(_FUNCTIONS)
