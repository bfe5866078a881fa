"""What is asked of CloudWatch, and what is made of its answers."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from haylift.telemetry import NAMESPACE, Metric

from ops.measurements import MAX_QUERIES, AwsMetric, Measurements, Point, Series, read_measurements

NOW_S = 1_800_000_000.0


class Pages:
    """One operation whose pages are made by a function of what it is asked."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """The pages."""
        yield from self._answer(**asked)


class CloudWatch:
    """CloudWatch with these values; `listed` are the series that it lists already."""

    def __init__(
        self, values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], *, is_listing: bool
    ) -> None:
        self.values = values
        self.is_listing = is_listing
        self.questions: list[int] = []

    def get_paginator(self, operation: str) -> Pages:
        """As boto3's clients."""
        return Pages({"list_metrics": self._listed, "get_metric_data": self._data}[operation])

    def _listed(self, **_asked: Any) -> Iterator[dict[str, Any]]:
        yield {
            "Metrics": [
                {
                    "Namespace": NAMESPACE,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                }
                for name, dimensions in (self.values if self.is_listing else ())
            ]
        }

    def _data(self, **asked: Any) -> Iterator[dict[str, Any]]:
        queries = asked["MetricDataQueries"]
        self.questions.append(len(queries))
        for query in queries:
            metric = query["MetricStat"]["Metric"]
            key = (metric["MetricName"], tuple((d["Name"], d["Value"]) for d in metric["Dimensions"]))
            found = [self.values[key]] if key in self.values else []
            at = [datetime.fromtimestamp(NOW_S - 60, UTC)] * len(found)
            # Each result on a page of its own: CloudWatch may cut anywhere.
            yield {"MetricDataResults": [{"Id": query["Id"], "Timestamps": at, "Values": found}]}


UNAVAILABLE = ("model_calls", (("outcome", "unavailable"), ("task", "embed")))
STATUS = (
    "haystack_requests_total",
    (("endpoint", "/v1/search"), ("method", "POST"), ("status", "429")),
)


def test_a_new_series_is_seen_before_cloudwatch_lists_it() -> None:
    client = CloudWatch({UNAVAILABLE: 14.0}, is_listing=False)

    found = read_measurements(client, [], now_s=NOW_S, minutes=5)

    assert found.by("outcome", Metric.MODEL_CALLS) == {"unavailable": 14.0}


def test_a_series_with_values_that_nobody_foresaw_is_found_by_listing() -> None:
    client = CloudWatch({STATUS: 3.0}, is_listing=True)

    found = read_measurements(client, [], now_s=NOW_S, minutes=5)

    assert found.by("status", Metric.REQUESTS) == {"429": 3.0}


def test_more_queries_than_cloudwatch_takes_go_in_several_calls() -> None:
    client = CloudWatch({}, is_listing=False)
    many = [Series(AwsMetric.QUEUE_AGE, "Maximum", (("QueueName", f"q{n}"),)) for n in range(600)]

    read_measurements(client, many, now_s=NOW_S, minutes=5)

    assert len(client.questions) == 2
    assert max(client.questions) == MAX_QUERIES


def test_sums_rates_and_newest_points() -> None:
    def series(outcome: str) -> Series:
        return Series(Metric.MODEL_CALLS, "Sum", (("outcome", outcome), ("task", "embed")))

    found = Measurements(
        {
            series("ok"): (Point(60, 4), Point(120, 1)),
            series("timeout"): (Point(120, 2), Point(180, 5)),
        }
    )

    assert found.total(Metric.MODEL_CALLS) == 12
    assert found.total(Metric.MODEL_CALLS, outcome="ok", task="embed") == 5
    assert list(found.by("outcome", Metric.MODEL_CALLS).items()) == [("timeout", 7), ("ok", 5)]
    assert found.newest_total(Metric.MODEL_CALLS, 120) == 8
    assert found.newest(Metric.MODEL_CALLS, "Sum", outcome="ok") == 1
    assert found.worst(Metric.MODEL_CALLS, "Sum", outcome="timeout") == 5
    assert found.worst(Metric.MODEL_CALLS, "p95") is None


@pytest.mark.usefixtures("aws")
def test_cloudwatch_itself_understands_the_question() -> None:
    client = boto3.client("cloudwatch", region_name="eu-central-1")
    client.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": "model_calls",
                "Dimensions": [{"Name": "outcome", "Value": "timeout"}, {"Name": "task", "Value": "embed"}],
                "Timestamp": datetime.fromtimestamp(NOW_S - 90, UTC),
                "Value": 3.0,
            }
        ],
    )

    found = read_measurements(client, [], now_s=NOW_S, minutes=5)

    assert found.total(Metric.MODEL_CALLS, outcome="timeout") == 3.0
    assert found.total(Metric.MODEL_CALLS, outcome="ok") == 0.0
