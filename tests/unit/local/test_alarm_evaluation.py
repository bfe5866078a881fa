"""The tables of "Configuring how CloudWatch alarms treat missing data", and what they leave open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.alarm_evaluation import ALARM, EXTRA_PERIODS, INSUFFICIENT, OK, next_state

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEPT = "the state before"
# Oldest first: X breaches, 0 does not, - is missing. Then the state for each treatment.
THREE_OF_THREE = [
    ("0-X-X", [OK, OK, OK, OK]),
    ("----0", [OK, OK, OK, OK]),
    ("-----", [INSUFFICIENT, KEPT, ALARM, OK]),
    ("0XX-X", [ALARM, ALARM, ALARM, ALARM]),
    ("--X--", [ALARM, KEPT, ALARM, OK]),
]
TWO_OF_THREE = [
    ("0-X-X", [ALARM, ALARM, ALARM, ALARM]),
    ("00X0X", [ALARM, ALARM, ALARM, ALARM]),
    ("0-X--", [OK, OK, ALARM, OK]),
    ("----0", [OK, OK, ALARM, OK]),
    ("---X-", [ALARM, KEPT, ALARM, OK]),
]
CASES = [
    (to_alarm, points, treatment, state)
    for to_alarm, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, states in table
    for treatment, state in zip(TREATMENTS, states, strict=True)
]
POINTS = {"X": True, "0": False, "-": None}


@pytest.mark.parametrize(("to_alarm", "points", "treatment", "state"), CASES)
def test_states_are_the_documented_ones(to_alarm: int, points: str, treatment: str, state: str) -> None:
    found = next_state(
        [POINTS[point] for point in points], periods=3, to_alarm=to_alarm, missing=treatment, state=KEPT
    )  # fmt: skip

    assert found == state


@given(st.lists(st.booleans(), min_size=3 + EXTRA_PERIODS, max_size=3 + EXTRA_PERIODS), st.integers(1, 3))
def test_without_missing_data_the_last_periods_alone_decide(points: list[bool], to_alarm: int) -> None:
    states = {
        next_state(points, periods=3, to_alarm=to_alarm, missing=treatment, state=KEPT)
        for treatment in TREATMENTS
    }

    assert states == {ALARM if sum(points[-3:]) >= to_alarm else OK}
