"""What the dashboard's graphs show is what their titles say."""

import pytest

from stacks.alarms.parts import AwsMetric, Part
from stacks.graphs import AUTHORIZER, Row, rows

pytestmark = pytest.mark.infra


def check_crashes(shown: tuple[Row, ...]) -> None:
    """No function's refusals are drawn as crashes: the authorizer raises to refuse, as API Gateway asks."""
    drawn = [
        line.dimensions[Part.FUNCTION]
        for row in shown
        for graph in row.graphs
        for line in graph.lines.values()
        if line.metric is AwsMetric.CRASHES
    ]
    assert drawn == ["auth", "search"]


def test_refused_tokens_are_no_crashes() -> None:
    check_crashes(rows(("auth", AUTHORIZER, "search")))


def test_a_graph_of_every_function_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacks.graphs.AUTHORIZER", "")

    with pytest.raises(AssertionError):
        check_crashes(rows(("auth", "authorizer", "search")))
