"""When an alarm rang, and when it was OK for good."""

import pytest

from ops.drill.watch import OK, RINGING, Watch
from tests.fakes.drills import PREFIX, HandAlarms


class Seconds:
    """A clock by hand."""

    at = 0.0


@pytest.fixture
def alarms() -> HandAlarms:
    return HandAlarms({"slow": "OK"})


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def watch(alarms: HandAlarms, clock: Seconds) -> Watch:
    return Watch(alarms.look, PREFIX, now=lambda: clock.at)


def at(watch: Watch, clock: Seconds, alarms: HandAlarms, story: dict[float, str]) -> None:
    for second, state in story.items():
        clock.at = second
        alarms.states["slow"] = state
        watch.look_once()


def test_knows_when_an_alarm_rang_and_was_over(watch: Watch, clock: Seconds, alarms: HandAlarms) -> None:
    at(watch, clock, alarms, {0: "OK", 10: "ALARM", 11: "ALARM", 30: "OK"})

    assert watch.first("slow", RINGING, since=5) == 10
    assert watch.last("slow", OK, since=20) == 30
    assert watch.rang_since(5) == {"slow"}
    assert watch.rang_since(31) == frozenset()
    assert watch.ringing() == frozenset()


def test_an_alarm_that_rings_again_was_not_over(watch: Watch, clock: Seconds, alarms: HandAlarms) -> None:
    at(watch, clock, alarms, {0: "ALARM", 10: "OK", 12: "ALARM"})
    assert watch.last("slow", OK, since=5) is None

    at(watch, clock, alarms, {20: "OK"})
    assert watch.last("slow", OK, since=5) == 20


def test_an_alarm_that_rang_before_still_counts(watch: Watch, clock: Seconds, alarms: HandAlarms) -> None:
    at(watch, clock, alarms, {0: "ALARM", 10: "OK"})

    assert watch.first("slow", RINGING, since=5) == 5
    assert watch.rang_since(5) == {"slow"}
    assert watch.rang_since(11) == frozenset()


def test_an_unknown_alarm_never_rang(watch: Watch) -> None:
    assert watch.first("fast", RINGING, since=0) is None
    assert watch.last("fast", OK, since=0) is None


def test_waits_no_longer_than_its_limit(watch: Watch, clock: Seconds) -> None:
    asked: list[float] = []

    def never() -> bool:
        asked.append(clock.at)
        clock.at += 50
        return False

    assert watch.wait_for(never, limit_s=100) is False
    assert len(asked) == 2
