"""The gate: an hour without the model endpoint, an operator's pause, and deaths between its steps."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from haylift.domain.documents import Lane
from haylift.domain.errors import StoreUnavailable
from haylift.domain.lanes import Holder
from haylift.services.gate import GateView

from functions.gate.app import consume
from tests.fakes.lanes import MemorySwitches
from tests.unit.lanes.outage import MINUTE_S, Message, Stage, live_through

ALARM = {"source": "aws.cloudwatch", "detail": {"state": {"value": "ALARM"}}}
CLOCK = {"source": "haylift.gate"}
BOTH = {Lane.INTERACTIVE: True, Lane.BACKFILL: True}
NONE = {Lane.INTERACTIVE: False, Lane.BACKFILL: False}


@pytest.fixture
def stage() -> Stage:
    return Stage()


def messages(stage: Stage) -> list[Message]:
    """Some that were there before, and one every other minute of the outage."""
    now = stage.time.now()
    return [
        Message(lane, visible_at=now + minute * MINUTE_S)
        for minute in (*[0] * 10, *range(0, 60, 2))
        for lane in Lane
    ]


def an_hour_costs_two_receives_at_most(
    stage: Stage, look: Callable[[bool], object], orders: list[Message]
) -> None:
    live_through(stage, look, orders, outage_min=60, after_min=30)
    assert [order for order in orders if order.done_at is None] == []
    assert max(order.receives for order in orders) <= 2


def test_an_hour_without_the_model_costs_two_receives_and_ends_by_itself(stage: Stage) -> None:
    gate = stage.gate()
    orders = messages(stage)

    an_hour_costs_two_receives_at_most(stage, lambda alarmed: gate.look(is_alarmed=alarmed), orders)

    assert stage.switches.open_by_lane == BOTH
    assert len(stage.probes()) <= 61
    assert stage.probes()[-2:] == ["ok", "ok"]


def test_without_a_gate_the_same_check_fails(stage: Stage) -> None:
    orders = messages(stage)

    with pytest.raises(AssertionError):
        an_hour_costs_two_receives_at_most(stage, lambda _alarmed: None, orders)


def test_interactive_opens_first_and_backfill_a_minute_later(stage: Stage) -> None:
    stage.stop_model()
    closed = consume(ALARM, stage.gate())
    stage.start_model()
    stage.switches.switched.clear()

    stage.time.seconds += MINUTE_S
    first = consume(CLOCK, stage.gate())
    stage.time.seconds += MINUTE_S
    second = consume(CLOCK, stage.gate())

    assert [view["view"] for view in (closed, first, second)] == ["closed", "opening", "open"]
    assert stage.switches.switched == [(Lane.INTERACTIVE, True), (Lane.BACKFILL, True)]


def test_an_endpoint_that_goes_again_closes_both_again(stage: Stage) -> None:
    stage.stop_model()
    consume(ALARM, stage.gate())
    stage.start_model()
    stage.time.seconds += MINUTE_S
    consume(CLOCK, stage.gate())
    stage.stop_model()
    stage.time.seconds += MINUTE_S

    view = consume(CLOCK, stage.gate())

    assert view == {"view": "closed"}
    assert stage.switches.open_by_lane == NONE


def test_an_alarm_about_what_is_over_closes_nothing(stage: Stage) -> None:
    view = consume(ALARM, stage.gate())

    assert view == {"view": "open"}
    assert stage.switches.switched == []


def test_a_lost_event_is_made_up_for_by_the_clock(stage: Stage) -> None:
    stage.stop_model()
    stage.alarms.is_ringing = True

    view = consume(CLOCK, stage.gate())

    assert view == {"view": "closed"}


def test_a_healthy_system_is_not_asked(stage: Stage) -> None:
    for _ in range(10):
        consume(CLOCK, stage.gate())
        stage.time.seconds += MINUTE_S

    assert stage.models.queries == []
    assert stage.switches.switched == []


def test_an_event_that_comes_twice_asks_once(stage: Stage) -> None:
    stage.stop_model()
    consume(ALARM, stage.gate())
    stage.time.seconds += MINUTE_S

    for event in (CLOCK, CLOCK, ALARM):
        consume(event, stage.gate())

    assert stage.probes() == ["failed", "failed"]


def pause(stage: Stage, lane: Lane) -> None:
    """What `ops ingest pause` does."""
    stage.holds.add(lane, Holder.OPERATOR)
    stage.switches.switch(lane, is_on=False)


def an_operators_pause_outlives_an_outage(stage: Stage, look: Callable[[bool], object]) -> None:
    pause(stage, Lane.INTERACTIVE)
    live_through(stage, look, [], outage_min=10, after_min=10)
    assert stage.switches.open_by_lane == {Lane.INTERACTIVE: False, Lane.BACKFILL: True}


def test_the_gate_never_lifts_an_operators_pause(stage: Stage) -> None:
    an_operators_pause_outlives_an_outage(stage, lambda alarmed: stage.gate().look(is_alarmed=alarmed))

    assert stage.holds.holds.holders(Lane.INTERACTIVE) == {Holder.OPERATOR}


def test_a_gate_that_opens_all_it_finds_closed_fails_the_same_check(stage: Stage) -> None:
    def look(is_alarmed: bool) -> None:
        for lane in Lane:
            stage.switches.switch(lane, is_on=not is_alarmed)

    with pytest.raises(AssertionError):
        an_operators_pause_outlives_an_outage(stage, look)


def test_a_pause_during_the_outage_holds_too(stage: Stage) -> None:
    stage.stop_model()
    consume(ALARM, stage.gate())
    pause(stage, Lane.BACKFILL)
    stage.start_model()

    for _ in range(3):
        stage.time.seconds += MINUTE_S
        consume(CLOCK, stage.gate())

    assert stage.switches.open_by_lane == {Lane.INTERACTIVE: True, Lane.BACKFILL: False}


def test_a_pause_at_the_moment_of_opening_wins(stage: Stage) -> None:
    class Slow(MemorySwitches):
        """The operator comes while the gate switches the lane on."""

        def switch(self, lane: Lane, *, is_on: bool) -> None:
            if is_on and lane is Lane.INTERACTIVE:
                pause(stage, lane)
            super().switch(lane, is_on=is_on)

    stage.stop_model()
    consume(ALARM, stage.gate())
    stage.start_model()
    stage.time.seconds += MINUTE_S
    stage.switches = Slow(stage.switches.open_by_lane)

    consume(CLOCK, stage.gate())

    assert not stage.switches.open_by_lane[Lane.INTERACTIVE]


def test_a_lane_that_somebody_switched_off_by_hand_stays_off(stage: Stage) -> None:
    stage.switches.open_by_lane[Lane.BACKFILL] = False

    live_through(
        stage, lambda alarmed: stage.gate().look(is_alarmed=alarmed), [], outage_min=10, after_min=10
    )

    assert stage.switches.open_by_lane == {Lane.INTERACTIVE: True, Lane.BACKFILL: False}


@pytest.mark.parametrize("steps", range(4))
def test_a_gate_that_dies_between_its_steps_leaves_no_lane_closed_for_good(stage: Stage, steps: int) -> None:
    class Dying(MemorySwitches):
        """Answers `steps` times, then dies."""

        left = steps

        def switch(self, lane: Lane, *, is_on: bool) -> None:
            if not self.left:
                raise StoreUnavailable("It died.")
            self.left -= 1
            super().switch(lane, is_on=is_on)

    whole, stage.switches = stage.switches, Dying(stage.switches.open_by_lane)
    stage.stop_model()
    for minute in range(4):
        if minute == 2:
            stage.start_model()
        stage.alarms.is_ringing = stage.models.fault is not None
        stage.time.seconds += MINUTE_S
        try:
            consume(CLOCK, stage.gate())
        except StoreUnavailable:
            stage.switches = whole

    stage.switches = whole
    for _ in range(3):
        stage.time.seconds += MINUTE_S
        consume(CLOCK, stage.gate())
    assert whole.open_by_lane == BOTH


def test_a_gate_that_is_switched_off_lets_go_and_does_nothing(stage: Stage) -> None:
    stage.stop_model()
    consume(ALARM, stage.gate())
    stage.holds.holds = replace(stage.holds.holds, is_gate_on=False)

    view = consume(CLOCK, stage.gate())
    again = consume(ALARM, stage.gate())

    assert (view, again) == ({"view": "off"}, {"view": "off"})
    assert stage.switches.open_by_lane == BOTH
    assert GateView.OFF.value == "off"
