"""Patch `schedules`: rules with `rate(...)` fire in time, at the pace of HAYLIFT_EMULATOR_MINUTE_S.

ministack looks at its rules every ten seconds and counts the next interval from then, so a rule of one minute
comes up to ten seconds late each time. Cron expressions keep the clock on the wall.
"""

import threading
from collections.abc import Callable

from ministack.services import eventbridge

from local.emulator.configuration import CONFIGURATION
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs(
        "ministack.services.eventbridge", ("_parse_rate_seconds", "_tick_scheduled_rules", "start_scheduler")
    ),
]


class Switch:
    """Whether this patch looks at the rules."""

    is_on = False


SWITCH = Switch()


def start_ticker() -> None:
    """Look at the rules often enough that none is late by more than a twentieth of its interval."""

    def tick() -> None:
        pause = threading.Event()
        while not pause.wait(min(1.0, CONFIGURATION.minute_s / 20)):
            if SWITCH.is_on:
                eventbridge._tick_scheduled_rules()

    threading.Thread(target=tick, name="schedules", daemon=True).start()


def patch() -> Patch:
    """Intervals in real seconds, looked at by one ticker at a time."""
    rate_s: Callable[[str], int | None] = eventbridge._parse_rate_seconds
    tick_rules, ticking = eventbridge._tick_scheduled_rules, threading.Lock()

    def real_interval_s(expression: str) -> float | None:
        interval = rate_s(expression)
        return None if interval is None else interval / CONFIGURATION.pace

    def tick_alone() -> None:
        # Two tickers at a time would fire a rule twice.
        with ticking:
            tick_rules()

    return Patch(
        "schedules",
        "ministack's schedules run late, and only in real time",
        [
            Replacement(eventbridge, "_parse_rate_seconds", real_interval_s),
            Replacement(eventbridge, "_tick_scheduled_rules", tick_alone),
            Replacement(SWITCH, "is_on", True),
        ],
    )
