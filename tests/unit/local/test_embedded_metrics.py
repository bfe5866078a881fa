"""Which log lines are metric records, by the embedded metric format specification."""

import json
from typing import Any

import pytest

from local.emulator.embedded_metrics import Datum, parse


def record(**changes: Any) -> dict[str, Any]:
    """A valid record with one metric in two sets of dimensions."""
    metrics = [{"Name": "took", "Unit": "Milliseconds"}]
    directive = {"Namespace": "Haylift", "Dimensions": [["route"], []], "Metrics": metrics}
    metadata = {"Timestamp": 1, "CloudWatchMetrics": [directive]}
    return {"_aws": metadata, "route": "/v1/search", "took": 12, **changes}


def test_each_set_of_dimensions_is_a_series() -> None:
    assert parse(json.dumps(record())) == [
        Datum("Haylift", "took", 12.0, "Milliseconds", {"route": "/v1/search"}),
        Datum("Haylift", "took", 12.0, "Milliseconds", {}),
    ]


def test_each_number_of_a_list_counts() -> None:
    assert [datum.value for datum in parse(json.dumps(record(took=[1, 2.5])))] == [1.0, 2.5, 1.0, 2.5]


@pytest.mark.parametrize(
    "line",
    [
        "plain text with \"_aws\"",
        '{"_aws": ',
        json.dumps({"document": record()}),
        json.dumps(json.dumps(record())),
        json.dumps(record(took="12")),
        json.dumps(record(took=True)),
        json.dumps(record(took=[1] * 101)),
        json.dumps({key: value for key, value in record().items() if key != "route"}),
        '{"_aws": [], "x": 1}',
        '{"_aws": {"CloudWatchMetrics": 7}}',
    ],
)  # fmt: skip
def test_other_lines_are_no_records(line: str) -> None:
    assert parse(line) == []
