"""Patch `metric-memory`: metrics in bounded memory.

ministack keeps each value as a record of its own for two weeks, with a copy of its dimensions: a request of
Haylift writes about eighty, 40 KB. Here equal values of one second are one record from the start; after a
quarter of an hour the values of a minute that agree in three digits are one, with their exact sum (CloudWatch
keeps a similar histogram); after a day they are gone.
"""

import math
import threading
import time
from collections.abc import Iterable
from typing import Any

from ministack.services import cloudwatch

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs(
        "ministack.services.cloudwatch", ("record_metric", "_evict_old_metrics", "_metrics", "_metric_bucket")
    ),
]
Point = dict[str, Any]
EXACT_FOR_S, KEPT_FOR_S, COMPACT_EVERY_S = 15 * 60, 24 * 3600, 60
DIGITS = 3
_writing = threading.Lock()


def record(
    namespace: str, name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
) -> None:  # fmt: skip
    """Store one value now, in the account and region of the caller."""
    by_name = dimensions or {}
    series = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(by_name)))
    with _writing:
        add(series, time.time(), float(value), unit, by_name)


def add(series: list[Point], now: float, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """Add a value to a series, to the record of the same second and value where there is one."""
    for point in reversed(series[-8:]):
        if int(point["Timestamp"]) != int(now):
            break
        if point["Value"] == value and point["Unit"] == unit and "_stat" not in point:
            point["Count"] = point.get("Count", 1.0) + 1.0
            return
    known = series[-1]["Dimensions"] if series else dict(dimensions)
    series.append({"Timestamp": now, "Value": value, "Unit": unit, "Dimensions": known})


def compacted(points: Iterable[Point], oldest: float) -> list[Point]:
    """Records of the same minute, unit and leading digits as one; those before `oldest` left out."""
    groups: dict[tuple[Any, ...], Point] = {}
    kept: list[Point] = []
    for point in points:
        if point["Timestamp"] < oldest:
            continue
        if "_stat" in point:
            kept.append(point)
            continue
        minute, count = point["Timestamp"] // 60 * 60, point.get("Count", 1.0)
        key = (minute, point["Unit"], _leading(point["Value"]))
        group = groups.get(key)
        if group is None:
            groups[key] = {**point, "Timestamp": minute, "Count": count}
        else:
            total = group["Count"] + count
            group["Value"] += (point["Value"] - group["Value"]) * count / total
            group["Count"] = total
    return sorted([*kept, *groups.values()], key=lambda point: point["Timestamp"])


def _leading(value: float) -> float:
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))


def compact(now: float) -> None:
    """Compact every series of the current account and region; those without a value are removed."""
    for key, series in list(cloudwatch._metrics.items()):
        with _writing:
            number = sum(1 for _ in _before(series, now - EXACT_FOR_S))
            # In place: whoever adds to the series meanwhile holds the same list.
            series[:number] = compacted(series[:number], now - KEPT_FOR_S)
            if not series:
                cloudwatch._metrics.pop(key, None)


def _before(series: list[Point], end: float) -> Iterable[Point]:
    for point in series:
        if point["Timestamp"] >= end:
            return
        yield point


class Pace:
    """When the series were last compacted, on the monotonic clock."""

    last = -math.inf


def compact_now_and_then() -> None:
    """In place of ministack's copying of all metrics at each request."""
    now = time.monotonic()
    if now - Pace.last >= COMPACT_EVERY_S:
        Pace.last = now
        compact(time.time())


def patch() -> Patch:
    """Write and keep compactly."""
    return Patch(
        "metric-memory",
        "ministack keeps every value for two weeks, 40 KB a request",
        [
            Replacement(cloudwatch, "record_metric", record),
            Replacement(cloudwatch, "_evict_old_metrics", compact_now_and_then),
        ],
    )
