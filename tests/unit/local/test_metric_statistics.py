"""Statistics with bounds, by the examples of "CloudWatch statistics definitions"."""

import pytest

from local.emulator.metric_statistics import Sample, UnknownStatistic, of_samples, parse

TEN: list[Sample] = [(float(value), 1.0) for value in range(1, 11)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TC(:3)", 3), ("TC(3:)", 7), ("TC(3:5)", 2), ("TC(100:)", 0), ("tc90", 9), ("TC(10%:90%)", 8),
        ("PR(:3)", 30), ("PR(3:5)", 20), ("TS(8:)", 19), ("ts90", 45), ("TS(80%:)", 19),
        ("tm90", 5), ("TM(10%:90%)", 5.5), ("TM(2:4)", 3.5), ("TM(20:)", None), ("IQM", 5.5),
        ("wm80", 5.2), ("WM(20%:80%)", 5.5),
    ],
)  # fmt: skip
def test_statistic_of_the_numbers_from_one_to_ten(name: str, value: float | None) -> None:
    assert of_samples(parse(name), TEN) == (None if value is None else pytest.approx(value))


def test_a_value_counts_as_often_as_it_was_seen() -> None:
    samples = [(0.2, 3.0), (5.0, 1.0)]

    assert of_samples(parse("TC(:0.5)"), samples) == 3
    assert of_samples(parse("PR(:0.5)"), samples) == 75


@pytest.mark.parametrize("name", ["Median", "p101", "TC()", "TC(:)", "TC(1:5%)", "PR(1%:5%)", "tm", "p", ""])
def test_an_unknown_statistic_is_refused(name: str) -> None:
    with pytest.raises(UnknownStatistic, match="parameter Stat is not supported"):
        parse(name)
