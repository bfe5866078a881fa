"""A set of metric data queries, as alarms and GetMetricData have them: checked, and evaluated together.

Pure: where the points of a metric come from is the caller's. Source: "MetricDataQuery" in the API reference.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.emulator.metric_expression import Call, ExpressionFault, Operation, Tree, names, parse
from local.emulator.metric_math import FUNCTIONS, Grid, Scope, Series, Value, evaluate

_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
SeriesOf = Callable[[Mapping[str, Any]], Series]
"""The series of one `MetricStat`."""


class QueryFault(ValueError):
    """CloudWatch refuses the queries with a ValidationError of this text."""


def returns_data(query: Mapping[str, Any]) -> bool:
    """Whether a query's result is asked for; templates may carry the answer as text."""
    return str(query.get("ReturnData", True)).lower() != "false"


@cache
def tree_of(expression: str) -> Tree:
    """The parsed expression; `QueryFault` when it is none, or has a function that is not known here."""
    try:
        tree = parse(expression)
    except ExpressionFault as error:
        raise QueryFault(str(error)) from error
    unknown = sorted(set(_functions(tree)) - FUNCTIONS)
    if unknown:
        raise QueryFault(f"Unsupported function {unknown[0]} in expression '{expression}'")
    return tree


def _functions(tree: Tree) -> list[str]:
    if isinstance(tree, Operation):
        return _functions(tree.left) + _functions(tree.right)
    if isinstance(tree, Call):
        return [tree.function, *(name for each in tree.arguments for name in _functions(each))]
    return []


def check(queries: Sequence[Mapping[str, Any]]) -> None:
    """Raise `QueryFault` for ids that repeat or cannot be ids, and for expressions of unknown ids."""
    ids = [str(query.get("Id", "")) for query in queries]
    for query, name in zip(queries, ids, strict=True):
        if not _ID.fullmatch(name):
            raise QueryFault(f"The value {name} for parameter Id is not matching the expected pattern.")
        if bool(query.get("Expression")) == bool(query.get("MetricStat")):
            raise QueryFault(f"Query {name} needs either MetricStat or Expression")
        if query.get("Expression"):
            known = {*ids, "REPEAT", "LINEAR"}
            unknown = [word for word in names(tree_of(str(query["Expression"]))) if word not in known]
            if unknown:
                raise QueryFault(f"Unknown id {unknown[0]} in the expression of {name}")
    if len(set(ids)) != len(ids):
        raise QueryFault("The ids of the queries must be unique")


def check_alarm(queries: Sequence[Mapping[str, Any]]) -> None:
    """As `check`; an alarm watches exactly one result, and takes at most 20 queries of one period."""
    check(queries)
    if sum(map(returns_data, queries)) != 1:
        raise QueryFault("Exactly one element of the metrics list should return data.")
    if len(queries) > 20:
        raise QueryFault("An alarm takes at most 20 metrics and expressions")
    period_of(queries)


def period_of(queries: Sequence[Mapping[str, Any]]) -> float:
    """The one period of an alarm's queries, in seconds."""
    found = {int(query.get("MetricStat", query).get("Period") or 0) for query in queries} - {0}
    if len(found) != 1:
        raise QueryFault("All metrics of an alarm must have the same period")
    return float(found.pop())


@dataclass(frozen=True)
class Evaluation:
    """The queries of one request over one grid of periods."""

    queries: Mapping[str, Mapping[str, Any]]
    grid: Grid
    series_of: SeriesOf

    def value(self, name: str) -> Value:
        """The value of one query; `QueryFault` when expressions use each other in a circle."""
        return self._value(name, ())

    def _value(self, name: str, within: tuple[str, ...]) -> Value:
        if name in within:
            raise QueryFault(f"The expression of {name} uses itself")
        query = self.queries[name]
        if query.get("MetricStat"):
            return self.series_of(query["MetricStat"])
        scope = Scope(self.grid, lambda other: self._value(other, (*within, name)), self._metrics)
        try:
            return evaluate(tree_of(str(query["Expression"])), scope)
        except ExpressionFault as error:
            raise QueryFault(str(error)) from error

    def _metrics(self) -> dict[str, Series]:
        return {
            name: self.series_of(query["MetricStat"])
            for name, query in self.queries.items()
            if query.get("MetricStat")
        }

    def series(self, name: str) -> list[Series]:
        """The result of one query as time series; a number stands at every period."""
        value = self.value(name)
        if isinstance(value, list):
            return value
        if isinstance(value, str):
            raise QueryFault(f"The expression of {name} gives a string")
        return [value if isinstance(value, dict) else dict.fromkeys(self.grid.starts, value)]
