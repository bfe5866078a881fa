"""Metrics in memory, read as CloudWatch reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from haylift.domain.errors import StoreUnavailable
from haylift.ports.metrics import MetricQuery, MetricSeries
from haylift.telemetry import Metric, checked_dimensions


@dataclass
class MemoryMetrics:
    """A `MetricReader` over single values; `is_down` makes every call fail."""

    values: dict[MetricSeries, list[tuple[float, float]]] = field(default_factory=dict)
    is_down: bool = False
    reads: int = 0

    def record(self, metric: Metric, value: float, at: float, **dimensions: str) -> None:
        """Keeps one value of the moment `at`, in epoch seconds."""
        pairs = tuple(sorted(checked_dimensions(metric, dimensions).items()))
        self.values.setdefault(MetricSeries(metric=metric.value, dimensions=pairs), []).append((at, value))

    def series(self) -> list[MetricSeries]:
        """Every series that was recorded."""
        if self.is_down:
            raise StoreUnavailable("CloudWatch does not answer with metrics.")
        return sorted(self.values)

    def read(
        self, queries: Sequence[MetricQuery], *, start_s: int, end_s: int
    ) -> Mapping[MetricQuery, Mapping[int, float]]:
        """The statistics of each minute that has values."""
        self.reads += 1
        return {query: self._minutes(query, start_s, end_s) for query in queries}

    def _minutes(self, query: MetricQuery, start_s: int, end_s: int) -> dict[int, float]:
        recorded = [(at, value) for at, value in self.values[query.series] if start_s <= at < end_s]
        minutes = {int(at // 60) * 60 for at, _ in recorded}
        return {
            minute: statistic(query.statistic, [value for at, value in recorded if at // 60 * 60 == minute])
            for minute in minutes
        }


def statistic(name: str, values: list[float]) -> float:
    """A statistic of CloudWatch; `TC(:b)` counts values up to and with b."""
    if name.startswith("TC(:"):
        return float(sum(value <= float(name[4:-1]) for value in values))
    return {
        "Sum": sum(values),
        "SampleCount": float(len(values)),
        "Average": sum(values) / len(values),
        "Maximum": max(values),
    }[name]
