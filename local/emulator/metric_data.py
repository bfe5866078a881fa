"""Patch `metric-data`: what GetMetricData, GetMetricStatistics and ListMetrics answer.

ministack answers the average for a statistic it does not know, evaluates no expressions, leaves out paging,
and mixes all dimensions where a request gives none. Sources: the API reference of the three operations. The
first period starts at StartTime rounded down to the minute, or to the period where that is shorter.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from local.emulator import metric_statistics
from local.emulator.metric_math import Grid, Series
from local.emulator.metric_queries import Evaluation, QueryFault, check, returns_data
from local.emulator.metric_statistics import UnknownStatistic
from local.emulator.metric_store import Point, points_since, statistic_of, value_of
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_get_metric_data", "_get_metric_statistics", "_list_metrics", "_parse_ts", "_json_ok", "_cbor_ok",
        "_cbor_metric_data_result", "_cbor_datapoint", "_error", "_metrics", "_stat_value",
    )),
]  # fmt: skip
Request = Mapping[str, Any]
MAX_QUERIES, MAX_DATAPOINTS, MAX_STATISTICS_POINTS, LISTED_PER_PAGE = 500, 100_800, 1440, 500
RECENT_S = 3 * 3600


def _fault(text: str) -> QueryFault:
    return QueryFault(text)


def _span(request: Request) -> tuple[float, float]:
    start, end = (cloudwatch._parse_ts(request.get(name)) for name in ("StartTime", "EndTime"))
    if start is None or end is None or start >= end:
        raise _fault("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def grid_of(start: float, end: float, period: float) -> Grid:
    """The periods from `start`, rounded down, up to `end`, which is not in them."""
    if period not in {1, 5, 10, 20, 30} and (period < 60 or period % 60):
        raise _fault("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    step = min(60.0, period)
    first = start // step * step
    return Grid([first + period * index for index in range(int(-((first - end) // period)))], period)


def buckets_of(metric: Request, grid: Grid, end: float, unit: str | None) -> dict[float, list[Point]]:
    """The points of a metric by the start of their period, in the order of time."""
    found: dict[float, list[Point]] = {}
    if not grid.starts:
        return found
    first = grid.starts[0]
    for point in points_since(metric, first, unit):
        if point["Timestamp"] < end:
            start = first + (point["Timestamp"] - first) // grid.period_s * grid.period_s
            found.setdefault(start, []).append(point)
    return dict(sorted(found.items()))


def metric_data(request: Request) -> dict[str, Any]:
    """The answer of GetMetricData."""
    start, end = _span(request)
    queries: Sequence[Request] = request.get("MetricDataQueries") or []
    if not 0 < len(queries) <= MAX_QUERIES:
        raise _fault(f"The parameter MetricDataQueries must have 1 to {MAX_QUERIES} members.")
    check(queries)
    periods = [float(q["MetricStat"]["Period"]) for q in queries if q.get("MetricStat")]
    grid = grid_of(start, end, min(periods, default=60.0))

    def series_of(stat: Request) -> Series:
        of_stat = grid_of(start, end, float(stat["Period"]))
        metric_statistics.parse(str(stat["Stat"]))
        buckets = buckets_of(stat["Metric"], of_stat, end, stat.get("Unit"))
        values = ((at, statistic_of(points, str(stat["Stat"]))) for at, points in buckets.items())
        return {at: value for at, value in values if value is not None}

    evaluation = Evaluation({str(q["Id"]): q for q in queries}, grid, series_of)
    found = [(q, series) for q in queries if returns_data(q) for series in evaluation.series(str(q["Id"]))]
    is_ascending = request.get("ScanBy") == "TimestampAscending"
    results = [_result(query, series, is_ascending) for query, series in found]
    return _page(results, request)


def _result(query: Request, series: Series, is_ascending: bool) -> dict[str, Any]:
    named = query.get("MetricStat", {}).get("Metric", {}).get("MetricName") or query["Id"]
    points = sorted(series.items(), reverse=not is_ascending)
    return {
        "Id": query["Id"], "Label": query.get("Label") or named, "StatusCode": "Complete",
        "Timestamps": [int(at) for at, _ in points], "Values": [float(value) for _, value in points],
    }  # fmt: skip


def _page(results: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """At most MaxDatapoints of all results' points, from where the token says."""
    skip = _position(request.get("NextToken"))
    room = min(int(request.get("MaxDatapoints") or MAX_DATAPOINTS), MAX_DATAPOINTS)
    position, page, seen, is_cut = skip, [], 0, False
    for result in results:
        number = len(result["Values"])
        first = max(0, skip - seen)
        last = min(number, first + room)
        seen += number
        if first < last or (number == 0 and not skip):
            room -= last - first
            position += last - first
            cut = {name: result[name][first:last] for name in ("Timestamps", "Values")}
            page.append({**result, **cut, "StatusCode": "Complete" if last == number else "PartialData"})
        is_cut = is_cut or last < number
    answer: dict[str, Any] = {"MetricDataResults": page, "Messages": []}
    return {**answer, "NextToken": _token(position)} if is_cut else answer


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"from": position}).encode()).decode()


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["from"])
    except (ValueError, TypeError, KeyError) as error:
        raise _fault("The value of the parameter NextToken is not valid.") from error


def metric_statistics_answer(request: Request) -> dict[str, Any]:
    """The answer of GetMetricStatistics."""
    start, end = _span(request)
    basic, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not basic and not extended:
        raise _fault("Must specify either Statistics or ExtendedStatistics")
    for name in (*basic, *extended):
        metric_statistics.parse(name)
    grid = grid_of(start, end, float(request["Period"]))
    if len(grid.starts) > MAX_STATISTICS_POINTS:
        raise _fault(f"You have requested more than the limit of {MAX_STATISTICS_POINTS} datapoints.")
    buckets = buckets_of(request, grid, end, request.get("Unit"))
    points = [_datapoint(at, found, basic, extended) for at, found in buckets.items()]
    return {"Label": request.get("MetricName"), "Datapoints": points}


def _datapoint(at: float, points: list[Point], basic: list[str], extended: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"Timestamp": int(at), "Unit": points[0].get("Unit", "None")}
    found |= {name: statistic_of(points, name) for name in basic}
    more = {name: value for name in extended if (value := statistic_of(points, name)) is not None}
    return {**found, "ExtendedStatistics": more} if more else found


def listed_metrics(request: Request) -> dict[str, Any]:
    """The answer of ListMetrics: metrics by namespace, name and dimensions, 500 a page."""
    skip = _position(request.get("NextToken"))
    found = sorted(_matching(request), key=lambda m: json.dumps(m, sort_keys=True))
    answer: dict[str, Any] = {"Metrics": found[skip : skip + LISTED_PER_PAGE]}
    rest = skip + LISTED_PER_PAGE < len(found)
    return {**answer, "NextToken": _token(skip + LISTED_PER_PAGE)} if rest else answer


def _matching(request: Request) -> Iterator[dict[str, Any]]:
    oldest = time.time() - RECENT_S if request.get("RecentlyActive") else 0.0
    wanted = request.get("Dimensions") or []
    for (namespace, name, _), points in list(cloudwatch._metrics.items()):
        if not points or points[-1]["Timestamp"] < oldest:
            continue
        dimensions = points[-1].get("Dimensions") or {}
        is_named = request.get("Namespace") in (None, namespace) and request.get("MetricName") in (None, name)
        if is_named and all(_fits(each, dimensions) for each in wanted):
            named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            yield {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def _fits(wanted: Request, dimensions: Mapping[str, str]) -> bool:
    """Whether a metric has the dimension, with this value where the filter gives one."""
    own = dimensions.get(wanted["Name"])
    return own is not None and wanted.get("Value") in (None, own)


def _operation(
    answer: Callable[[Request], dict[str, Any]], original: Callable[..., Any]
) -> Callable[..., Any]:
    def operation(params: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not (is_cbor or is_json):
            return original(params, request, is_cbor, is_json)
        try:
            found = answer(request)
        except (QueryFault, UnknownStatistic) as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        return cloudwatch._cbor_ok(_with_cbor_times(found)) if is_cbor else cloudwatch._json_ok(found)

    return operation


def _with_cbor_times(answer: dict[str, Any]) -> dict[str, Any]:
    encode = {
        "MetricDataResults": cloudwatch._cbor_metric_data_result,
        "Datapoints": cloudwatch._cbor_datapoint,
    }
    return {
        name: [encode[name](each) for each in value] if name in encode else value
        for name, value in answer.items()
    }


def patch() -> Patch:
    """Answer the three operations by the stored points."""
    names = {
        "_get_metric_data": metric_data, "_get_metric_statistics": metric_statistics_answer,
        "_list_metrics": listed_metrics,
    }  # fmt: skip
    operations = [
        Replacement(cloudwatch, name, _operation(answer, getattr(cloudwatch, name)))
        for name, answer in names.items()
    ]
    return Patch(
        "metric-data",
        "ministack lacks expressions, trimmed statistics, paging and exact dimensions",
        [*operations, Replacement(cloudwatch, "_stat_value", value_of)],
    )
