"""The reader on CloudWatch, at the border of the SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from haylift.adapters.cloudwatch_metrics import CloudWatchMetrics
from haylift.domain.errors import StoreUnavailable
from haylift.ports.metrics import MetricQuery, MetricSeries
from moto import mock_aws

MINUTE = 1_760_000_040
SHED = MetricSeries(metric="shed_requests")
GRANTED = MetricSeries(metric="logins", dimensions=(("outcome", "granted"),))


def client() -> Any:
    return boto3.client(
        "cloudwatch",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws():
        made = client()
        for value, outcome in ((1, "granted"), (1, "granted"), (1, "refused")):
            _put(made, "Haylift", "logins", value, {"outcome": outcome})
        _put(made, "Haylift", "shed_requests", 5, {})
        _put(made, "Other", "shed_requests", 70, {})
        yield made


def _put(made: Any, namespace: str, name: str, value: float, dimensions: dict[str, str]) -> None:
    datum = {
        "MetricName": name,
        "Value": value,
        "Timestamp": datetime.fromtimestamp(MINUTE + 10, UTC),
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
    }
    made.put_metric_data(Namespace=namespace, MetricData=[datum])


def test_series_are_those_of_the_namespace(cloudwatch: Any) -> None:
    refused = MetricSeries(metric="logins", dimensions=(("outcome", "refused"),))

    assert CloudWatchMetrics("Haylift", cloudwatch).series() == [GRANTED, refused, SHED]


def test_values_come_by_minute_and_series(cloudwatch: Any) -> None:
    queries = [
        MetricQuery(series=GRANTED, statistic="Sum"),
        MetricQuery(series=GRANTED, statistic="SampleCount"),
        MetricQuery(series=SHED, statistic="Sum"),
    ]

    answers = CloudWatchMetrics("Haylift", cloudwatch).read(queries, start_s=MINUTE, end_s=MINUTE + 60)

    assert [answers[query] for query in queries] == [{MINUTE: 2.0}, {MINUTE: 2.0}, {MINUTE: 5.0}]


def test_minutes_without_values_are_left_out(cloudwatch: Any) -> None:
    query = MetricQuery(series=SHED, statistic="Sum")

    answers = CloudWatchMetrics("Haylift", cloudwatch).read([query], start_s=MINUTE + 60, end_s=MINUTE + 120)

    assert answers == {query: {}}


class Pages:
    """A CloudWatch that counts the queries of each call and gives one page per query."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def get_paginator(self, _name: str) -> "Pages":
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        queries = asked["MetricDataQueries"]
        self.sizes.append(len(queries))
        for query in queries:
            moments = [datetime.fromtimestamp(MINUTE, UTC)]
            value = float(query["MetricStat"]["Metric"]["MetricName"])
            yield {"MetricDataResults": [{"Id": query["Id"], "Timestamps": moments, "Values": [value]}]}


def test_no_call_asks_more_than_500_queries_and_no_answer_is_mixed_up() -> None:
    pages = Pages()
    queries = [MetricQuery(series=MetricSeries(metric=str(n)), statistic="Sum") for n in range(1_201)]

    answers = CloudWatchMetrics("Haylift", pages).read(queries, start_s=MINUTE, end_s=MINUTE + 60)

    assert pages.sizes == [500, 500, 201]
    assert all(answers[query] == {MINUTE: float(query.series.metric)} for query in queries)


@pytest.mark.parametrize("code", ["Throttling", "InternalServiceFault", "AccessDenied"])
def test_what_cloudwatch_refuses_is_unavailable(code: str) -> None:
    made = client()
    with Stubber(made) as stub:
        stub.add_client_error("list_metrics", service_error_code=code)

        with pytest.raises(StoreUnavailable):
            CloudWatchMetrics("Haylift", made).series()
