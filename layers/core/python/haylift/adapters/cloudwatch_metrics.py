"""Reads metrics from CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from haylift.domain.errors import StoreUnavailable
from haylift.ports.metrics import MetricQuery, MetricSeries

MAX_QUERIES_PER_CALL = 500
"""Limit of GetMetricData."""

PERIOD_S = 60
ENDED_WELL = frozenset({"Complete", "PartialData"})
"""`PartialData` announces a further page, which `NextToken` leads to."""


class CloudWatchMetrics:
    """A `MetricReader` on one namespace.

    GetMetricData is paid by metric asked for, up to five statistics of one metric together.
    """

    def __init__(self, namespace: str, client: Any) -> None:
        self._namespace = namespace
        self._client = client

    def series(self) -> list[MetricSeries]:
        """Every series that got a value in the last three hours; CloudWatch lists a new one after a while."""
        with _as_unavailable():
            pages = self._client.get_paginator("list_metrics").paginate(
                Namespace=self._namespace, RecentlyActive="PT3H"
            )
            return sorted(_series(metric) for page in pages for metric in page["Metrics"])

    def read(
        self, queries: Sequence[MetricQuery], *, start_s: int, end_s: int
    ) -> Mapping[MetricQuery, Mapping[int, float]]:
        """The answers by minute; asks at most 500 queries a call and follows its pages."""
        answers: dict[MetricQuery, dict[int, float]] = {query: {} for query in queries}
        for batch in batched(queries, MAX_QUERIES_PER_CALL, strict=False):
            for result in self._results(batch, start_s, end_s):
                minutes = [int(moment.timestamp()) for moment in result["Timestamps"]]
                values = dict(zip(minutes, result["Values"], strict=True))
                answers[batch[int(result["Id"][1:])]].update(values)
        return answers

    def _results(self, batch: Sequence[MetricQuery], start_s: int, end_s: int) -> Iterator[dict[str, Any]]:
        with _as_unavailable():
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[self._query(place, query) for place, query in enumerate(batch)],
                StartTime=datetime.fromtimestamp(start_s, UTC),
                EndTime=datetime.fromtimestamp(end_s, UTC),
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    if result.get("StatusCode", "Complete") not in ENDED_WELL:
                        raise StoreUnavailable("CloudWatch could not compute the metrics.")
                    yield result

    def _query(self, place: int, query: MetricQuery) -> dict[str, Any]:
        dimensions = [{"Name": name, "Value": value} for name, value in query.series.dimensions]
        metric = {
            "Namespace": self._namespace,
            "MetricName": query.series.metric,
            "Dimensions": dimensions,
        }
        return {
            "Id": f"q{place}",
            "MetricStat": {"Metric": metric, "Period": PERIOD_S, "Stat": query.statistic},
        }


def _series(metric: Mapping[str, Any]) -> MetricSeries:
    pairs = sorted((dimension["Name"], dimension["Value"]) for dimension in metric["Dimensions"])
    return MetricSeries(metric=metric["MetricName"], dimensions=tuple(pairs))


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Whatever CloudWatch answers but metrics: the page has nothing to show, and says so."""
    try:
        yield
    except (BotoCoreError, ClientError) as fault:
        raise StoreUnavailable("CloudWatch does not answer with metrics.") from fault
