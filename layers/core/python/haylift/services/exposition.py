"""The deployment's metrics as Prometheus knows them: the values of CloudWatch's last full minute.

A process of a function knows only itself, so the values come from where those of all processes meet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from haylift.ports import Clock
from haylift.ports.metrics import MetricQuery, MetricReader, MetricSeries
from haylift.services.metric_meanings import BUCKETS_S, LAST_KNOWN, MEANINGS, MEANS
from haylift.telemetry import SHAPES, Metric, Unit

MINUTE_S = 60
KEPT_S = 60.0
"""The page is made at most once in this time by a process: a query of GetMetricData is paid."""

SETTLED_AFTER_S = 15
"""A minute counts as full when it has been over for so long: values reach CloudWatch as log lines."""

LOOK_BACK_MINUTES = 5
"""How old the last known value of a gauge may be."""


class Kind(StrEnum):
    """Kinds of Prometheus. Sums of one minute go up and down, so they are gauges."""

    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One line: `suffix` is what the name ends with (`_bucket`, `_sum`, `_count` or nothing)."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


@dataclass(frozen=True, kw_only=True)
class Family:
    """All samples of one metric, with what `# HELP` and `# TYPE` say."""

    name: str
    kind: Kind
    meaning: str
    samples: Sequence[Sample] = field(default_factory=tuple)


class ExpositionService:
    """Makes the families; an error of the reader passes (`StoreUnavailable`)."""

    def __init__(self, reader: MetricReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._kept: tuple[float, list[Family]] | None = None

    def families(self) -> list[Family]:
        """Every metric of the registry, in its order; those without values have no samples.

        Raises:
            StoreUnavailable: nothing older is shown instead, because nobody could see that it is old.
        """
        now = self._clock.now()
        if self._kept is None or not 0 <= now - self._kept[0] < KEPT_S:
            self._kept = (now, self._read(now))
        return self._kept[1]

    def _read(self, now: float) -> list[Family]:
        minute = last_full_minute(now)
        series_by_metric = _by_metric(self._reader.series())
        queries = [
            MetricQuery(series=series, statistic=statistic)
            for metric, listed in series_by_metric.items()
            for series in listed
            for statistic in statistics_of(metric)
        ]
        start_s = minute - (LOOK_BACK_MINUTES - 1) * MINUTE_S
        answers = self._reader.read(queries, start_s=start_s, end_s=minute + MINUTE_S) if queries else {}
        return [_family(metric, series_by_metric[metric], _Values(minute, answers)) for metric in Metric]


def last_full_minute(now: float) -> int:
    """Where the newest minute that is full begins, in epoch seconds.

    >>> last_full_minute(120.0), last_full_minute(134.9), last_full_minute(135.0)
    (0, 0, 60)
    """
    return int((now - SETTLED_AFTER_S) // MINUTE_S - 1) * MINUTE_S


def statistics_of(metric: Metric) -> list[str]:
    """CloudWatch's statistics that a family needs.

    `TC(:0.5)` is the trimmed count: the number of values up to 0.5, exactly a bucket of a histogram.
    """
    kind = kind_of(metric)
    if kind is Kind.GAUGE:
        return ["Average" if metric in MEANS else "Maximum" if metric in LAST_KNOWN else "Sum"]
    return ["SampleCount", "Sum", *(f"TC(:{bound})" for bound in BUCKETS_S.get(metric, ()))]


def kind_of(metric: Metric) -> Kind:
    """How Prometheus sees a metric."""
    if metric in BUCKETS_S:
        return Kind.HISTOGRAM
    return Kind.SUMMARY if SHAPES[metric].unit is Unit.SECONDS else Kind.GAUGE


def _by_metric(listed: Iterable[MetricSeries]) -> dict[Metric, list[MetricSeries]]:
    """The series of the registry; what has other dimensions than it was written by something else."""
    found: dict[Metric, list[MetricSeries]] = {metric: [] for metric in Metric}
    names = {metric.value: metric for metric in Metric}
    for series in listed:
        metric = names.get(series.metric)
        if metric and {name for name, _ in series.dimensions} == {d.value for d in SHAPES[metric].dimensions}:
            found[metric].append(series)
    return found


@dataclass(frozen=True)
class _Values:
    minute: int
    answers: Mapping[MetricQuery, Mapping[int, float]]

    def of_minute(self, series: MetricSeries, statistic: str) -> float | None:
        return self._of(series, statistic).get(self.minute)

    def last_known(self, series: MetricSeries, statistic: str) -> float | None:
        values = self._of(series, statistic)
        return values[max(values)] if values else None

    def _of(self, series: MetricSeries, statistic: str) -> Mapping[int, float]:
        return self.answers.get(MetricQuery(series=series, statistic=statistic), {})


def _family(metric: Metric, listed: Sequence[MetricSeries], values: _Values) -> Family:
    kind = kind_of(metric)
    sampled = _gauge if kind is Kind.GAUGE else _distribution
    samples = [sample for series in listed for sample in sampled(metric, series, values)]
    return Family(name=metric.value, kind=kind, meaning=MEANINGS[metric], samples=samples)


def _gauge(metric: Metric, series: MetricSeries, values: _Values) -> list[Sample]:
    (statistic,) = statistics_of(metric)
    if metric in LAST_KNOWN:
        value = values.last_known(series, statistic)
    else:
        value = values.of_minute(series, statistic)
        if value is None and metric not in MEANS:
            value = 0.0  # nothing happened in this minute; a mean of nothing is not zero
    return [] if value is None else [Sample(labels=dict(series.dimensions), value=value)]


def _distribution(metric: Metric, series: MetricSeries, values: _Values) -> list[Sample]:
    labels = dict(series.dimensions)
    count = values.of_minute(series, "SampleCount") or 0.0
    buckets = [
        Sample(
            suffix="_bucket",
            labels=labels | {"le": str(float(bound))},
            value=values.of_minute(series, f"TC(:{bound})") or 0.0,
        )
        for bound in BUCKETS_S.get(metric, ())
    ]
    if buckets:
        buckets.append(Sample(suffix="_bucket", labels=labels | {"le": "+Inf"}, value=count))
    total = values.of_minute(series, "Sum") or 0.0
    return [
        *buckets,
        Sample(suffix="_count", labels=labels, value=count),
        Sample(suffix="_sum", labels=labels, value=total),
    ]
