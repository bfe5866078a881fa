"""The picture of the dashboard: its widgets as queries, lines without data, and a PNG that can be read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.dashboard_panels import Line, Panel, Place, panel_of, queries_of
from ops.dashboard_picture import draw

START, END = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
AT = {"x": 0, "y": 2, "width": 8, "height": 5}


class RecordedCloudWatch:
    """Answers with two pages of one line, newest page last; and with one alarm that rings."""

    def __init__(self) -> None:
        self.queries: list[dict[str, Any]] = []
        self._operation = ""

    def get_paginator(self, operation: str) -> "RecordedCloudWatch":
        self._operation = operation
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if self._operation == "describe_alarms":
            yield {"CompositeAlarms": [{"AlarmName": "haylift-dev-search-errors", "StateValue": "ALARM"}]}
            return
        self.queries = asked["MetricDataQueries"]
        yield {"MetricDataResults": [{"Id": "shown", "Timestamps": [START], "Values": [1.0]}]}
        yield {"MetricDataResults": [{"Id": "shown", "Timestamps": [END], "Values": [3.0]}]}


def test_a_row_becomes_a_query_with_exactly_its_dimensions() -> None:
    row = ["Haylift", "model_calls", "task", "embed", "outcome", "failed", {"stat": "Sum", "period": 60}]

    (query,) = queries_of({"metrics": [row]})

    assert query == {
        "Id": "line0",
        "ReturnData": True,
        "Label": "failed",
        "MetricStat": {
            "Metric": {
                "Namespace": "Haylift",
                "MetricName": "model_calls",
                "Dimensions": [
                    {"Name": "task", "Value": "embed"},
                    {"Name": "outcome", "Value": "failed"},
                ],
            },
            "Period": 60,
            "Stat": "Sum",
        },
    }


def test_what_a_row_leaves_out_is_the_widgets_or_cloudwatchs_own() -> None:
    properties = {"metrics": [["AWS/SQS", "Depth", "QueueName", "a"], ["...", "b"], [".", "Age", ".", "."]]}

    queries = queries_of({**properties, "period": 60})

    stats = [query["MetricStat"] for query in queries]
    assert [(stat["Period"], stat["Stat"]) for stat in stats] == [(60, "Average")] * 3
    assert [(stat["Metric"]["MetricName"], stat["Metric"]["Dimensions"][0]["Value"]) for stat in stats] == [
        ("Depth", "a"),
        ("Depth", "b"),
        ("Age", "b"),
    ]


def test_an_expression_is_asked_for_and_its_hidden_parts_are_not_shown() -> None:
    cloudwatch = RecordedCloudWatch()
    metrics = [
        [{"expression": "failed / asked", "id": "shown", "label": "ratio"}],
        ["Haylift", "shed_requests", {"id": "failed", "visible": False}],
        ["Haylift", "shed_requests", {"id": "asked", "visible": False, "stat": "SampleCount"}],
        ["Haylift", "logins", "outcome", "granted", {"id": "silent"}],
    ]
    annotations = {"horizontal": [{"value": 0.05}]}
    widget = {
        "type": "metric",
        **AT,
        "properties": {"title": "t", "metrics": metrics, "annotations": annotations},
    }

    panel = panel_of(widget, cloudwatch, START, END)

    assert [query["ReturnData"] for query in cloudwatch.queries] == [True, False, False, True]
    assert [(line.label, line.values) for line in panel.lines] == [("ratio", (1.0, 3.0)), ("granted", ())]
    assert panel.thresholds == (0.05,)


def test_states_of_alarms_are_shown_and_unknown_ones_are_not_well() -> None:
    arns = [
        f"arn:aws:cloudwatch:eu-west-1:1:alarm:haylift-dev-{name}" for name in ("search-errors", "gone/a")
    ]

    panel = panel_of(
        {"type": "alarm", **AT, "properties": {"alarms": arns}}, RecordedCloudWatch(), START, END
    )

    assert panel.states == (
        ("haylift-dev-search-errors", "ALARM"),
        ("haylift-dev-gone/a", "INSUFFICIENT_DATA"),
    )


@pytest.mark.parametrize("is_stacked", [True, False])
def test_the_picture_is_a_png_of_the_dashboards_shape(is_stacked: bool, tmp_path: Path) -> None:
    place = Place(x=0, y=0, width=8, height=5)
    line = Line(label="a", times=(START.timestamp(), END.timestamp()), values=(1.0, 2.0))
    silent = Line(label="b", times=(), values=())
    panels = [
        Panel(title="g", place=place, lines=(line, silent), thresholds=(1.5,), is_stacked=is_stacked),
        Panel(title="none", place=Place(x=8, y=0, width=8, height=5), lines=(silent,)),
        Panel(title="", place=Place(x=0, y=5, width=24, height=2), text="## Row\nWhat?"),
        Panel(title="states", place=Place(x=0, y=7, width=24, height=5), states=(("one", "OK"),)),
    ]

    draw(panels, tmp_path / "d.png", title="t", span=(START, END))

    head = (tmp_path / "d.png").read_bytes()[:24]
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert width == 1036
    assert 350 < height < 400
