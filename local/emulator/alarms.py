"""Patch `alarms`: metric alarms as CloudWatch evaluates them, every two seconds.

ministack looks only when metrics or alarms are written, ignores dimensions, M of N and missing data, and so
never returns to OK. Windows slide with the clock, where CloudWatch's are aligned to the minute: an alarm
rings here a little sooner than there.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch

from local.emulator.alarm_evaluation import COMPARISONS, EXTRA_PERIODS, next_state
from local.emulator.configuration import CONFIGURATION
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_evaluate_alarm", "_evaluate_all_alarms", "_alarms", "_metrics", "_dims_key", "_dims_from_list",
        "_calc_stats", "_stat_value", "_record_history", "_dispatch_alarm_actions", "_evaluate_parent_alarms",
    )),
]  # fmt: skip
_log = logging.getLogger("haylift.emulator.alarms")


def values(alarm: dict[str, Any], now: float) -> Sequence[float | None]:
    """The statistic of each period up to `now` (seconds), oldest first, None for a period without data."""
    period = float(alarm.get("Period") or 60)
    number = int(alarm.get("EvaluationPeriods") or 1) + EXTRA_PERIODS
    start = now - period * number
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    buckets: list[list[dict[str, Any]]] = [[] for _ in range(number)]
    # Newest last, and only the end of a long series matters.
    for point in reversed(list(cloudwatch._metrics.get(key) or [])):
        if point["Timestamp"] < start:
            break
        buckets[min(int((point["Timestamp"] - start) // period), number - 1)].append(point)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return [
        cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None
        for points in buckets
    ]


def evaluate(alarm: dict[str, Any]) -> None:
    """Evaluate one metric alarm; on a change of state record it and send its actions."""
    compare = COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if not alarm.get("MetricName") or compare is None:
        return
    threshold, periods = float(alarm["Threshold"]), int(alarm.get("EvaluationPeriods") or 1)
    found = values(alarm, time.time())
    before = str(alarm["StateValue"])
    after = next_state(
        [None if value is None else compare(value, threshold) for value in found],
        periods=periods, to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        missing=str(alarm.get("TreatMissingData") or "missing"), state=before,
    )  # fmt: skip
    if after != before:
        reason = (
            f"Threshold {alarm['ComparisonOperator']} {threshold}: datapoints {list(found)} (oldest first)"
        )
        _change(alarm, before, after, reason)


def _change(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def in_every_scope(store: Any, work: Callable[[], None]) -> None:
    """Do `work` in each account and region that has an entry in one of ministack's stores."""
    for account, region in {key[:2] for key in list(store._data)}:
        tokens = _request_account_id.set(account), _request_region.set(region)
        try:
            work()
        except Exception:
            _log.exception("background work failed")
        finally:
            _request_account_id.reset(tokens[0])
            _request_region.reset(tokens[1])


def start_ticker(is_wanted: Callable[[], bool]) -> None:
    """Evaluate all alarms again and again in a thread of its own, while `is_wanted`."""

    def tick() -> None:
        pause = threading.Event()
        while not pause.wait(CONFIGURATION.alarm_period_s):
            if is_wanted():
                in_every_scope(cloudwatch._alarms, cloudwatch._evaluate_all_alarms)

    threading.Thread(target=tick, name="alarm-ticker", daemon=True).start()


def patch() -> Patch:
    """Evaluate by CloudWatch's rules; the ticker is started with the emulator."""
    return Patch(
        "alarms",
        "ministack ignores dimensions, M of N and missing data, and evaluates only on writes",
        [Replacement(cloudwatch, "_evaluate_alarm", evaluate)],
    )
