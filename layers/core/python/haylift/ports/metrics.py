"""What the metrics page needs from the world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, order=True)
class MetricSeries:
    """One time series: a metric's name and its dimensions as (name, value), sorted by name."""

    metric: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, order=True)
class MetricQuery:
    """A statistic of a series, in CloudWatch's words: `Sum`, `SampleCount`, `Average`, `TC(:0.5)`."""

    series: MetricSeries
    statistic: str


class MetricReader(Protocol):
    """Where metrics can be read. All methods raise `StoreUnavailable`; a retry helps."""

    def series(self) -> list[MetricSeries]:
        """Every series that got a value in the last hours; a new one may be missing for some minutes."""

    def read(
        self, queries: Sequence[MetricQuery], *, start_s: int, end_s: int
    ) -> Mapping[MetricQuery, Mapping[int, float]]:
        """The answers by minute: epoch seconds of its start to the value; minutes without data are left out.

        Args:
            start_s, end_s: epoch seconds on full minutes, the end excluded.
        """
