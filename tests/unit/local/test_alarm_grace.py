"""Silence from before an alarm or the emulator was there does not ring an alarm."""

import pytest

from local.emulator import alarms
from local.emulator.configuration import CONFIGURATION

PERIOD_S = 60 / CONFIGURATION.pace


@pytest.mark.parametrize(
    ("rule", "age_in_periods", "counts_as"),
    [
        ("breaching", 0, "ignore"),
        ("breaching", 3.9, "ignore"),
        ("breaching", 4.1, "breaching"),
        ("missing", 0, "missing"),
        ("notBreaching", 0, "notBreaching"),
    ],
)
def test_missing_data_breaches_once_there_could_have_been_some(
    rule: str, age_in_periods: float, counts_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 1_000_000.0
    monkeypatch.setattr(alarms, "_STARTED", 0.0)
    alarm = {
        "TreatMissingData": rule, "EvaluationPeriods": 3, "Period": 60,
        "AlarmConfigurationUpdatedTimestamp": made,
    }  # fmt: skip

    assert alarms._missing_rule(alarm, made + age_in_periods * PERIOD_S) == counts_as


def test_the_emulators_start_counts_as_the_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "_STARTED", 1_000_000.0)
    alarm = {"TreatMissingData": "breaching", "EvaluationPeriods": 1, "Period": 60}

    assert alarms._missing_rule(alarm, 1_000_000.0 + PERIOD_S) == "ignore"
    assert alarms._missing_rule(alarm, 1_000_000.0 + 3 * PERIOD_S) == "breaching"
