"""Patch `alarms`: metric alarms as CloudWatch evaluates them, every two seconds.

ministack looks only when metrics or alarms are written, ignores dimensions, M of N and missing data, and so
never returns to OK. Windows slide with the clock, where CloudWatch's are aligned to the minute: an alarm
rings here a little sooner than there. A period lasts as long as HAYLIFT_EMULATOR_MINUTE_S makes it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch

from local.emulator.alarm_evaluation import COMPARISONS, EXTRA_PERIODS, next_state
from local.emulator.configuration import CONFIGURATION
from local.emulator.metric_math import Grid, Series
from local.emulator.metric_queries import Evaluation, period_of, returns_data
from local.emulator.metric_store import Point, points_since, statistic_of
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_evaluate_alarm", "_evaluate_all_alarms", "_alarms", "_record_history", "_dispatch_alarm_actions",
        "_evaluate_parent_alarms",
    )),
]  # fmt: skip
_STARTED = time.time()
_log = logging.getLogger("haylift.emulator.alarms")


@dataclass(frozen=True)
class Window:
    """The periods that an alarm looks at, up to `now`; numbered from 0, the oldest.

    `period_s` is the alarm's own; on the wall a period lasts `wall_s`.
    """

    now: float
    number: int
    period_s: float

    @property
    def wall_s(self) -> float:
        """Real seconds of one period."""
        return self.period_s / CONFIGURATION.pace

    def grid(self) -> Grid:
        """The periods as metric math has them."""
        return Grid([index * self.period_s for index in range(self.number)], self.period_s)

    def series(self, metric: Mapping[str, Any], statistic: str, unit: str | None) -> Series:
        """The statistic of one metric in each period that has data."""
        start = self.now - self.wall_s * self.number
        buckets: dict[int, list[Point]] = {}
        for point in points_since(metric, start, unit):
            index = min(int((point["Timestamp"] - start) // self.wall_s), self.number - 1)
            buckets.setdefault(index, []).append(point)
        values = ((index, statistic_of(buckets[index], statistic)) for index in sorted(buckets))
        return {index * self.period_s: value for index, value in values if value is not None}


def values(alarm: dict[str, Any], now: float) -> Sequence[float | None]:
    """What the alarm compares with its threshold in each period up to `now` (seconds), oldest first."""
    number = int(alarm.get("EvaluationPeriods") or 1) + EXTRA_PERIODS
    queries: Sequence[Mapping[str, Any]] = alarm.get("Metrics") or []
    period_s = period_of(queries) if queries else float(alarm.get("Period") or 60)
    window = Window(now, number, period_s)
    if queries:
        series = _math_result(queries, window)
    else:
        statistic = str(alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average")
        series = window.series(alarm, statistic, alarm.get("Unit"))
    return [series.get(start) for start in window.grid().starts]


def _math_result(queries: Sequence[Mapping[str, Any]], window: Window) -> Series:
    def series_of(stat: Mapping[str, Any]) -> Series:
        return window.series(stat["Metric"], str(stat["Stat"]), stat.get("Unit"))

    by_id = {str(query["Id"]): query for query in queries}
    watched = next(name for name, query in by_id.items() if returns_data(query))
    found = Evaluation(by_id, window.grid(), series_of).series(watched)
    return found[0] if found else {}


def evaluate(alarm: dict[str, Any]) -> None:
    """Evaluate one metric alarm; on a change of state record it and send its actions."""
    compare = COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if not (alarm.get("MetricName") or alarm.get("Metrics")) or compare is None:
        return
    threshold, periods = float(alarm["Threshold"]), int(alarm.get("EvaluationPeriods") or 1)
    now = time.time()
    found = values(alarm, now)
    before = str(alarm["StateValue"])
    after = next_state(
        [None if value is None else compare(value, threshold) for value in found],
        periods=periods, to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        missing=_missing_rule(alarm, now), state=before,
    )  # fmt: skip
    if after != before:
        reason = (
            f"Threshold {alarm['ComparisonOperator']} {threshold}: datapoints {list(found)} (oldest first)"
        )
        _change(alarm, before, after, reason)


def _missing_rule(alarm: dict[str, Any], now: float) -> str:
    """How missing data counts: silence from before the alarm or the emulator was there is no evidence.

    CloudWatch has no such rule, and no hours in which it does not run: a heartbeat's alarm would ring at
    every start here.
    """
    rule = str(alarm.get("TreatMissingData") or "missing")
    queries = alarm.get("Metrics") or []
    period_s = period_of(queries) if queries else float(alarm.get("Period") or 60)
    known_since = max(_STARTED, float(alarm.get("AlarmConfigurationUpdatedTimestamp") or 0))
    grace_s = (int(alarm.get("EvaluationPeriods") or 1) + 1) * period_s / CONFIGURATION.pace
    return "ignore" if rule == "breaching" and now - known_since < grace_s else rule


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
            # Bounded also where nobody asks for metrics.
            in_every_scope(cloudwatch._metrics, cloudwatch._evict_old_metrics)

    threading.Thread(target=tick, name="alarm-ticker", daemon=True).start()


def patch() -> Patch:
    """Evaluate by CloudWatch's rules; the ticker is started with the emulator."""
    return Patch(
        "alarms",
        "ministack ignores dimensions, M of N and missing data, and evaluates only on writes",
        [Replacement(cloudwatch, "_evaluate_alarm", evaluate)],
    )
