"""The statistics of one period of a metric, beyond what ministack knows. Pure functions.

Source: "CloudWatch statistics definitions". Bounds are absolute values or percentages; the lower one is
exclusive, the upper one inclusive, and either may be left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Sample = tuple[float, float]
"""A value and how many times it was seen."""
BASIC = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_BOUND = r"(?:(\d+(?:\.\d{1,10})?)(%?))?"
_WITH_BOUNDS = re.compile(rf"(TM|TC|TS|WM|PR)\({_BOUND}:{_BOUND}\)", re.IGNORECASE)
_ONE_NUMBER = re.compile(r"(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)", re.IGNORECASE)


class UnknownStatistic(ValueError):
    """CloudWatch has no such statistic; asking again does not help."""


@dataclass(frozen=True)
class Statistic:
    """A statistic by its kind (`p`, `tm`, `tc`, `ts`, `wm`, `pr`, or a basic one) and bounds.

    `low` and `high` are None where open; `is_share` says that they are percentages of the samples.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    is_share: bool = False


def parse(name: str) -> Statistic:
    """The statistic of this name; `UnknownStatistic` otherwise."""
    if name in BASIC:
        return Statistic(name)
    if name.upper() == "IQM":
        return Statistic("tm", 25, 75, is_share=True)
    if found := _ONE_NUMBER.fullmatch(name):
        if float(found[2]) <= 100:
            return Statistic(found[1].lower(), None, float(found[2]), is_share=True)
    elif found := _WITH_BOUNDS.fullmatch(name):
        return _bounded(name, *found.groups())
    raise UnknownStatistic(f"The value {name} for parameter Stat is not supported.")


def _bounded(
    name: str, kind: str, low: str | None, low_sign: str, high: str | None, high_sign: str
) -> Statistic:
    signs = {sign for bound, sign in ((low, low_sign), (high, high_sign)) if bound is not None}
    is_share = signs == {"%"}
    if len(signs) != 1 or (is_share and kind.upper() == "PR"):
        raise UnknownStatistic(f"The value {name} for parameter Stat is not supported.")
    return Statistic(
        kind.lower(), None if low is None else float(low), None if high is None else float(high), is_share
    )


def of_samples(statistic: Statistic, samples: Sequence[Sample]) -> float | None:
    """The value of a statistic with bounds, None where CloudWatch has no data point (nothing is left)."""
    kept = _shared(samples, statistic) if statistic.is_share else _absolute(samples, statistic)
    if statistic.kind == "wm":
        return _winsorized(samples, kept)
    return _OF_KEPT[statistic.kind](kept, sum(weight for _, weight in samples))


def _absolute(samples: Sequence[Sample], statistic: Statistic) -> list[Sample]:
    low = float("-inf") if statistic.low is None else statistic.low
    high = float("inf") if statistic.high is None else statistic.high
    return [(value, weight) for value, weight in sorted(samples) if low < value <= high]


def _shared(samples: Sequence[Sample], statistic: Statistic) -> list[Sample]:
    """The samples between two shares of the sorted whole; one at a bound counts with its part inside."""
    total = sum(weight for _, weight in samples)
    low, high = (
        total * (statistic.low or 0) / 100,
        total * (100 if statistic.high is None else statistic.high) / 100,
    )
    kept, seen = [], 0.0
    for value, weight in sorted(samples):
        inside = min(seen + weight, high) - max(seen, low)
        seen += weight
        if inside > 0:
            kept.append((value, inside))
    return kept


def _winsorized(samples: Sequence[Sample], kept: Sequence[Sample]) -> float | None:
    """The mean, with what is beyond the bounds counted as the bound's value."""
    if not kept:
        return None
    low, high = kept[0][0], kept[-1][0]
    total = sum(weight for _, weight in samples)
    return sum(min(max(value, low), high) * weight for value, weight in samples) / total


def _mean(kept: Sequence[Sample], _total: float) -> float | None:
    weight = sum(weight for _, weight in kept)
    return sum(value * times for value, times in kept) / weight if weight else None


_OF_KEPT: dict[str, Callable[[Sequence[Sample], float], float | None]] = {
    "tm": _mean,
    "tc": lambda kept, _total: sum(weight for _, weight in kept),
    "ts": lambda kept, _total: sum(value * weight for value, weight in kept),
    "pr": lambda kept, total: 100 * sum(weight for _, weight in kept) / total,
}
