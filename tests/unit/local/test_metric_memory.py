"""Metrics in few records, with the same numbers."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.emulator.metric_memory import add, compacted

Point = dict[str, Any]


def point(at: float, value: float, count: float = 1.0) -> Point:
    return {"Timestamp": at, "Value": value, "Unit": "Seconds", "Dimensions": {}, "Count": count}


def test_equal_values_of_one_second_are_one_record() -> None:
    series: list[Point] = []

    for at, value in ((10.1, 1.0), (10.2, 2.0), (10.9, 1.0), (11.0, 1.0)):
        add(series, at, value, "Count", {"Part": "a"})

    assert [(p["Timestamp"], p["Value"], p.get("Count", 1.0)) for p in series] == [
        (10.1, 1.0, 2.0), (10.2, 2.0, 1.0), (11.0, 1.0, 1.0),
    ]  # fmt: skip


def test_old_values_of_a_minute_that_agree_in_three_digits_are_one_record() -> None:
    points = [point(61, 1.234), point(62, 1.2344), point(63, 1.3), point(121, 1.234), point(5, 9)]

    found = compacted(points, oldest=60)

    assert [(p["Timestamp"], round(p["Value"], 6), p["Count"]) for p in found] == [
        (60, 1.2342, 2), (60, 1.3, 1), (120, 1.234, 1),
    ]  # fmt: skip


def test_statistic_sets_stay_as_they_are() -> None:
    statistic = {**point(61, 2), "_stat": {"SampleCount": 3, "Sum": 6}}

    assert compacted([statistic, statistic], oldest=0) == [statistic, statistic]


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(-1e6, 1e6), st.integers(1, 9)), max_size=40))
def test_number_and_sum_of_values_stay(values: list[tuple[int, float, int]]) -> None:
    points = [point(at, value, count) for at, value, count in values]

    found = compacted(points, oldest=0)

    assert sum(p["Count"] for p in found) == sum(p["Count"] for p in points)
    before, after = (sum(p["Value"] * p["Count"] for p in each) for each in (points, found))
    assert abs(before - after) <= 1e-6 * max(1.0, sum(abs(p["Value"]) * p["Count"] for p in points))
