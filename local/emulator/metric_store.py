"""Reading the metrics that ministack holds: points of one metric, and their statistic over a period."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from local.emulator import metric_statistics
from local.emulator.patching import Needs

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_metrics", "_dims_key", "_dims_from_list", "_calc_stats", "_stat_value", "_point_stats",
        "_percentile", "_percentile_samples",
    )),
]  # fmt: skip
Point = dict[str, Any]


def points_since(metric: Mapping[str, Any], start: float, unit: str | None = None) -> Iterator[Point]:
    """The points of one metric from `start` (seconds) on, newest first.

    `metric` has Namespace, MetricName and Dimensions as the API has them: other dimensions, other metric.
    """
    dimensions = cloudwatch._dims_from_list(metric.get("Dimensions") or [])
    key = (metric.get("Namespace"), metric.get("MetricName"), cloudwatch._dims_key(dimensions))
    # Newest last, except where a caller gave a time of its own: a look a little further back finds those.
    late = 0
    for point in reversed(cloudwatch._metrics.get(key) or []):
        if point["Timestamp"] < start:
            late += 1
            if late > 100:
                return
        elif unit is None or point.get("Unit", "None") == unit:
            yield point


def statistic_of(points: Sequence[Point], name: str) -> float | None:
    """A statistic by its name; None where it has no value. `UnknownStatistic` for what CloudWatch lacks."""
    statistic = metric_statistics.parse(name)
    if statistic.kind in metric_statistics.BASIC:
        found: float | None = cloudwatch._calc_stats(points).get(name)
        return found
    if statistic.kind == "p":
        samples = cloudwatch._percentile_samples(points)
        return float(cloudwatch._percentile(samples, statistic.high)) if samples else None
    samples = samples_of(points)
    return metric_statistics.of_samples(statistic, samples) if samples else None


def samples_of(points: Sequence[Point]) -> list[metric_statistics.Sample] | None:
    """The single values with their numbers; None when a statistic set of different values is among them."""
    samples = []
    for point in points:
        count, total, low, high = cloudwatch._point_stats(point)
        if count > 0:
            if point.get("_stat") is not None and not (low == high and total == low * count):
                return None
            samples.append((low, count))
    return samples


def value_of(stats: dict[str, float], name: str, points: Sequence[Point] | None = None) -> float | None:
    """In place of ministack's `_stat_value`, which answers the average for a statistic it does not know."""
    return stats[name] if name in stats else statistic_of(points or [], name)


def records_of(namespace: str, name: str, dimensions: dict[str, str]) -> int:
    """How many records are kept of a metric, in all accounts and regions; for tests of memory."""
    wanted = (namespace, name, cloudwatch._dims_key(dimensions))
    return sum(
        len(points) for key, points in list(cloudwatch._metrics._data.items()) if wanted in (key[2:], key[-1])
    )
