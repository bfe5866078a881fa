"""Periods and pages of GetMetricData."""

import pytest

from local.emulator.metric_data import _page, _result, grid_of
from local.emulator.metric_queries import QueryFault


@pytest.mark.parametrize(
    ("start", "end", "period", "starts"),
    [
        (65, 200, 60, [60, 120, 180]),
        (65, 180, 60, [60, 120]),
        (65, 600, 300, [60, 360]),
        (83, 100, 10, [80, 90]),
        (120, 121, 3600, [120]),
    ],
)
def test_periods_start_at_the_rounded_start(
    start: float, end: float, period: float, starts: list[float]
) -> None:
    assert list(grid_of(start, end, period).starts) == starts


@pytest.mark.parametrize("period", [0, 7, 59, 90, -60])
def test_a_period_that_cloudwatch_has_not_is_refused(period: float) -> None:
    with pytest.raises(QueryFault):
        grid_of(0, 600, period)


def test_pages_hold_every_point_once_and_say_where_a_result_goes_on() -> None:
    results = [_result({"Id": f"m{n}"}, {60.0 * i: float(i) for i in range(n)}, False) for n in (0, 3, 2)]
    request: dict[str, object] = {"MaxDatapoints": 2}
    pages = []
    while True:
        page = _page(results, request)
        pages.append([(r["Id"], r["Values"], r["StatusCode"]) for r in page["MetricDataResults"]])
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]

    assert pages == [
        [("m0", [], "Complete"), ("m3", [2, 1], "PartialData")],
        [("m3", [0], "Complete"), ("m2", [1], "PartialData")],
        [("m2", [0], "Complete")],
    ]


def test_a_token_of_somebody_else_is_refused() -> None:
    with pytest.raises(QueryFault, match="NextToken"):
        _page([], {"NextToken": "abc"})
