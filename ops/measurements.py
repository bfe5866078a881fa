"""The last minutes of the metrics, read from CloudWatch in a few calls."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import batched, product
from typing import Any, get_args

from haylift.adapters.model_faults import Outcome
from haylift.domain.documents import Lane
from haylift.routes import ALL_ROUTES
from haylift.telemetry import NAMESPACE, SHAPES, Dimension, Metric

MINUTE_S = 60
MAX_QUERIES = 500
"""CloudWatch's limit of one GetMetricData."""

REQUEST_COUNT = "SampleCount"
UNMATCHED = "unmatched"


class AwsMetric(Enum):
    """The metrics of AWS that operators look at: namespace and name."""

    GATEWAY_CALLS = ("AWS/ApiGateway", "Count")
    GATEWAY_REFUSALS = ("AWS/ApiGateway", "4XXError")
    GATEWAY_FAILURES = ("AWS/ApiGateway", "5XXError")
    QUEUE_AGE = ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    INVOCATIONS = ("AWS/Lambda", "Invocations")
    FUNCTION_ERRORS = ("AWS/Lambda", "Errors")
    THROTTLES = ("AWS/Lambda", "Throttles")
    STREAM_AGE = ("AWS/Lambda", "IteratorAge")


type AnyMetric = Metric | AwsMetric

KNOWN_VALUES: Mapping[tuple[Metric, Dimension], tuple[str, ...]] = {
    (Metric.REQUEST_DURATION, Dimension.ENDPOINT): (*(route.path for route in ALL_ROUTES), UNMATCHED),
    (Metric.REQUEST_FAILURES, Dimension.ENDPOINT): (*(route.path for route in ALL_ROUTES), UNMATCHED),
    (Metric.MODEL_CALLS, Dimension.TASK): ("embed", "rerank"),
    (Metric.MODEL_CALLS, Dimension.OUTCOME): get_args(Outcome.__value__),
    (Metric.MODEL_DURATION, Dimension.TASK): ("embed", "rerank"),
    (Metric.SEARCHABLE_AFTER, Dimension.LANE): tuple(lane.value for lane in Lane),
    (Metric.DEPENDENCY_HEALTHY, Dimension.DEPENDENCY): ("index", "tables", "cache", "model_endpoint"),
    (Metric.RATE_LIMITED, Dimension.LIMIT): ("login", "refresh", "search", "feedback"),
    (Metric.LOGINS, Dimension.OUTCOME): ("granted", "refused", "limited"),
}
"""CloudWatch lists a new series only after up to 15 minutes, and the first minutes of an outage count: what
may appear is asked for by name. Series with other values are found by listing."""

WANTED: tuple[tuple[Metric, tuple[str, ...]], ...] = (
    (Metric.REQUESTS, ("Sum",)),
    (Metric.REQUEST_FAILURES, (REQUEST_COUNT, "Sum")),
    (Metric.REQUEST_DURATION, ("p95",)),
    (Metric.MODEL_CALLS, ("Sum",)),
    (Metric.MODEL_DURATION, ("p95",)),
    (Metric.DEGRADED_ANSWERS, ("Sum",)),
    (Metric.SEARCHABLE_AFTER, ("p95",)),
    (Metric.DOCUMENT_REJECTIONS, ("SampleCount", "Sum")),
    (Metric.DOCUMENTS_REJECTED, ("Sum",)),
    (Metric.INDEX_WRITE_FAILURES, ("SampleCount", "Sum")),
    (Metric.HEARTBEATS, ("Sum",)),
    (Metric.DEPENDENCY_HEALTHY, ("Minimum",)),
    (Metric.RATE_LIMITED, ("Sum",)),
    (Metric.LOAD_SHED, ("Sum",)),
    (Metric.LOGINS, ("Sum",)),
    (Metric.DOCUMENTS_STORED, ("Maximum",)),
    (Metric.CACHE_HIT_RATIO, ("Average",)),
)


@dataclass(frozen=True)
class Series:
    """One statistic of one metric with exactly these dimensions, sorted by name."""

    metric: AnyMetric
    statistic: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @property
    def period_s(self) -> int:
        """A minute for what adds up; percentiles do not, so they get the whole window at once."""
        return 5 * MINUTE_S if self.statistic.startswith("p") else MINUTE_S


@dataclass(frozen=True)
class Point:
    """A value and the start of its period, epoch seconds."""

    at_s: float
    value: float


@dataclass(frozen=True)
class Measurements:
    """The points of a window, oldest first, by series; a series without data is absent."""

    points_by_series: Mapping[Series, Sequence[Point]] = field(default_factory=dict)

    def total(self, metric: AnyMetric, statistic: str = "Sum", **dimensions: str) -> float:
        """The sum over the window, of all series with these dimensions."""
        return sum(point.value for point in self._points(metric, statistic, dimensions))

    def by(
        self, dimension: str, metric: AnyMetric, statistic: str = "Sum", **others: str
    ) -> dict[str, float]:
        """The sums by the dimension's value, largest first."""
        sums: dict[str, float] = {}
        for series, points in self._found(metric, statistic, others):
            value = dict(series.dimensions).get(dimension, "")
            sums[value] = sums.get(value, 0.0) + sum(point.value for point in points)
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    def worst(self, metric: AnyMetric, statistic: str, **dimensions: str) -> float | None:
        """The largest value of the window; None without data."""
        return max((p.value for p in self._points(metric, statistic, dimensions)), default=None)

    def newest(self, metric: AnyMetric, statistic: str, **dimensions: str) -> float | None:
        """The value of the newest point; None without data."""
        points = list(self._points(metric, statistic, dimensions))
        return max(points, key=lambda point: point.at_s).value if points else None

    def newest_total(self, metric: AnyMetric, at_s: float, statistic: str = "Sum", **others: str) -> float:
        """The sum over the points that are not older than `at_s`."""
        return sum(p.value for p in self._points(metric, statistic, others) if p.at_s >= at_s)

    def newest_at_s(self, metric: AnyMetric, statistic: str = "Sum", **dimensions: str) -> float | None:
        """When the newest period with data began; None without data."""
        return max((p.at_s for p in self._points(metric, statistic, dimensions)), default=None)

    def _points(self, metric: AnyMetric, statistic: str, wanted: Mapping[str, str]) -> Iterator[Point]:
        for _, points in self._found(metric, statistic, wanted):
            yield from points

    def _found(
        self, metric: AnyMetric, statistic: str, wanted: Mapping[str, str]
    ) -> Iterator[tuple[Series, Sequence[Point]]]:
        for series, points in self.points_by_series.items():
            is_same = series.metric is metric and series.statistic == statistic
            if is_same and wanted.items() <= dict(series.dimensions).items():
                yield series, points


def read_measurements(
    client: Any, aws_series: Iterable[Series], *, now_s: float, minutes: float
) -> Measurements:
    """The window of the last `minutes`: our metrics, and those of AWS that are named."""
    series = [*dict.fromkeys([*_known_series(), *_listed_series(client), *aws_series])]
    points: dict[Series, list[Point]] = {}
    for some in batched(series, MAX_QUERIES, strict=False):
        for one, found in _read(client, some, start_s=now_s - minutes * MINUTE_S, end_s=now_s):
            points.setdefault(one, []).extend(found)
    return Measurements({one: sorted(found, key=lambda p: p.at_s) for one, found in points.items() if found})


def _known_series() -> Iterator[Series]:
    for metric, statistics in WANTED:
        names = sorted(SHAPES[metric].dimensions)
        known = [KNOWN_VALUES.get((metric, name), ()) for name in names]
        for values, statistic in product(product(*known), statistics):
            yield Series(metric, statistic, tuple(zip((n.value for n in names), values, strict=True)))


def _listed_series(client: Any) -> Iterator[Series]:
    statistics_by_name = {metric.value: (metric, statistics) for metric, statistics in WANTED}
    for page in client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, RecentlyActive="PT3H"):
        for listed in page["Metrics"]:
            metric, statistics = statistics_by_name.get(listed["MetricName"], (None, ()))
            dimensions = tuple(sorted((d["Name"], d["Value"]) for d in listed["Dimensions"]))
            if metric is not None and {name for name, _ in dimensions} == SHAPES[metric].dimensions:
                yield from (Series(metric, statistic, dimensions) for statistic in statistics)


def _read(
    client: Any, series: Sequence[Series], *, start_s: float, end_s: float
) -> Iterator[tuple[Series, list[Point]]]:
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(f"m{number}", one) for number, one in enumerate(series)],
        StartTime=start_s,
        EndTime=end_s,
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            yield series[int(result["Id"][1:])], [Point(at.timestamp(), value) for at, value in pairs]


def _query(identifier: str, series: Series) -> dict[str, Any]:
    namespace, name = (
        (NAMESPACE, series.metric.value) if isinstance(series.metric, Metric) else series.metric.value
    )
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in series.dimensions],
    }
    stat = {"Metric": metric, "Period": series.period_s, "Stat": series.statistic}
    return {"Id": identifier, "MetricStat": stat}
