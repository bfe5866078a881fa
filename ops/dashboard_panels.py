"""What a deployed dashboard shows: its widgets with the data that CloudWatch has for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.faults import OpsFault

DEFAULT_PERIOD_S = 300
DEFAULT_STATISTIC = "Average"
"""CloudWatch's own defaults, which a dashboard's JSON leaves out."""

MAX_QUERIES = 500
"""CloudWatch's limit of one GetMetricData."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a panel stands, in units of the 24-column grid, from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """The data of one line: epoch seconds and values, oldest first."""

    label: str
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One widget with what it shows.

    Args:
        text: markdown of a header; empty for graphs.
        states: of alarms, by name.
    """

    title: str
    place: Place
    text: str = ""
    lines: tuple[Line, ...] = ()
    thresholds: tuple[float, ...] = ()
    is_stacked: bool = False
    states: tuple[tuple[str, str], ...] = ()


def panel_of(widget: Mapping[str, Any], cloudwatch: Any, start: datetime, end: datetime) -> Panel:
    """One widget with its data from `start` to `end`."""
    properties = widget["properties"]
    place = Place(x=widget["x"], y=widget["y"], width=widget["width"], height=widget["height"])
    if widget["type"] == "text":
        return Panel(title="", place=place, text=properties["markdown"])
    title = properties.get("title", "")
    if widget["type"] == "alarm":
        names = [arn.split(":alarm:", 1)[-1] for arn in properties["alarms"]]
        return Panel(title=title, place=place, states=_states(names, cloudwatch))
    return Panel(
        title=title,
        place=place,
        lines=tuple(_lines(queries_of(properties), cloudwatch, start, end)),
        thresholds=tuple(
            float(line["value"]) for line in properties.get("annotations", {}).get("horizontal", [])
        ),
        is_stacked=bool(properties.get("stacked")),
    )


def queries_of(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of a metric widget as queries of GetMetricData.

    A row is `[namespace, metric, name, value, ..., {options}]` or `[{expression}]`; `.` repeats the part
    above it, `...` all parts up to there.
    """
    queries: list[dict[str, Any]] = []
    before: list[str] = []
    for number, row in enumerate(properties.get("metrics", [])):
        options = row[-1] if isinstance(row[-1], dict) else {}
        before = _unfolded([part for part in row if isinstance(part, str)], before)
        query: dict[str, Any] = {
            "Id": options.get("id", f"line{number}"),
            "ReturnData": options.get("visible", True) is not False,
        }
        period = int(options.get("period", properties.get("period", DEFAULT_PERIOD_S)))
        if "expression" in options:
            query |= {"Expression": options["expression"], "Period": period}
        else:
            dimensions = zip(before[2::2], before[3::2], strict=True)
            metric = {
                "Namespace": before[0],
                "MetricName": before[1],
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
            }
            statistic = options.get("stat", properties.get("stat", DEFAULT_STATISTIC))
            query["MetricStat"] = {"Metric": metric, "Period": period, "Stat": statistic}
        query["Label"] = options.get("label") or query.get("Expression") or before[-1]
        queries.append(query)
    return queries


def _unfolded(parts: list[str], before: list[str]) -> list[str]:
    if parts[:1] == ["..."]:
        parts = [*before[: len(before) - len(parts) + 1], *parts[1:]]
    return [before[place] if part == "." else part for place, part in enumerate(parts)]


def _lines(
    queries: Sequence[dict[str, Any]], cloudwatch: Any, start: datetime, end: datetime
) -> Iterator[Line]:
    shown = [query for query in queries if query["ReturnData"]]
    if len(queries) > MAX_QUERIES:
        raise OpsFault("dashboard_too_large", f"One graph has more than {MAX_QUERIES} lines.")
    found: dict[str, list[tuple[float, float]]] = {}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=list(queries), StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            points = zip(result["Timestamps"], result["Values"], strict=True)
            found.setdefault(result["Id"], []).extend((time.timestamp(), value) for time, value in points)
    for query in shown:
        points_of_line = sorted(found.get(query["Id"], []))
        yield Line(
            label=query["Label"],
            times=tuple(time for time, _ in points_of_line),
            values=tuple(value for _, value in points_of_line),
        )


def _states(names: Sequence[str], cloudwatch: Any) -> tuple[tuple[str, str], ...]:
    states = {}
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNames=list(names)[:100], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    for page in pages:
        for alarm in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])):
            states[alarm["AlarmName"]] = alarm["StateValue"]
    return tuple((name, states.get(name, "INSUFFICIENT_DATA")) for name in names)
