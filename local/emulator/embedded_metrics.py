"""Patch `embedded-metrics`: records in the embedded metric format become CloudWatch metrics.

Source: the CloudWatch embedded metric format specification. A record is a log line that is one JSON object
with `_aws` at its root; each set of dimensions gives one time series for each metric.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

from local.emulator import lambda_worker
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [Needs("ministack.services.cloudwatch", ("record_metric",))]
MAX_VALUES = 100


@dataclass(frozen=True)
class Datum:
    """One value of one time series."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str]


def parse(line: str) -> list[Datum]:
    """The data of one log line; empty for any line that is no valid record."""
    if not line.startswith("{") or '"_aws"' not in line:
        return []
    try:
        record = json.loads(line)
        return list(_data(record))
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _data(record: dict[str, Any]) -> Iterator[Datum]:
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(record[name]) for name in names}
            for metric in directive["Metrics"]:
                for value in _numbers(record[metric["Name"]]):
                    unit = metric.get("Unit", "None")
                    yield Datum(directive["Namespace"], metric["Name"], value, unit, dimensions)


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise ValueError("a metric value is a number or a list of at most 100 numbers")
    return [float(v) for v in values]


def record_line(line: str) -> None:
    """Store the metrics of one log line, in the account and region of the caller."""
    for datum in parse(line):
        cloudwatch.record_metric(datum.namespace, datum.name, datum.value, datum.unit, datum.dimensions)


def patch() -> Patch:
    """Every line that a function prints is looked at; without it EMF lines stay text."""
    return Patch(
        "embedded-metrics",
        "ministack stores EMF lines as text only",
        [Replacement(lambda_worker.HOOKS, "line", record_line)],
    )
