"""Patch `alarm-actions`: what an alarm tells whom, and when it keeps quiet.

Sources: "Alarm events and notifications" for the text of a notification, "Alarm suppression" for composite
alarms: while the suppressor is in ALARM actions wait; they also wait up to WaitPeriod for it to go there, and
ExtensionPeriod after it has left it. What is due then is told if the alarm is still in that state. "Alarm
events and EventBridge": every change of state is an event, which no suppressor holds back.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import cloudwatch, eventbridge, sns

from local.emulator.configuration import CONFIGURATION
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_dispatch_alarm_actions", "_is_sns_action_arn", "_ts_iso", "_alarms", "_composite_alarms",
        "_evaluate_all_alarms", "_rule_alarm_state",
    )),
    Needs("ministack.services.sns", ("_fanout",)),
    Needs("ministack.services.eventbridge", ("_put_events",)),
]  # fmt: skip
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_TRIGGER = (
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods",
    "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "Dimensions", "Metrics",
)  # fmt: skip


@dataclass
class Held:
    """A change whose actions wait: until `due`, on the monotonic clock, or for the suppressor."""

    alarm: dict[str, Any]
    before: str
    after: str
    reason: str
    due: float
    was_suppressed: bool = False


_HELD: dict[str, Held] = {}


def notification(alarm: dict[str, Any], before: str, after: str, reason: str) -> dict[str, Any]:
    """The JSON text of one notification; account and region are those of the alarm's ARN."""
    region, account = str(alarm["AlarmArn"]).split(":")[3:5]
    said = {
        "AlarmName": alarm["AlarmName"], "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account, "NewStateValue": after, "NewStateReason": reason,
        "StateChangeTime": cloudwatch._ts_iso(time.time()).replace("Z", ".000+0000"),
        "Region": region, "AlarmArn": alarm["AlarmArn"], "OldStateValue": before,
        **{actions: alarm.get(actions) or [] for actions in _ACTIONS.values()},
    }  # fmt: skip
    if "AlarmRule" in alarm:
        return {**said, "AlarmRule": alarm["AlarmRule"]}
    trigger = {name: alarm[name] for name in _TRIGGER if alarm.get(name) is not None}
    return {**said, "Trigger": trigger}


def send(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
    """Publish a change of state to the topics of the new state."""
    topics = [arn for arn in alarm.get(_ACTIONS[after]) or [] if cloudwatch._is_sns_action_arn(arn)]
    message = json.dumps(notification(alarm, before, after, reason))
    subject = f'{after}: "{alarm["AlarmName"]}" in {alarm["AlarmArn"].split(":")[3]}'[:100]
    for topic in topics:
        sns._fanout(topic, new_uuid(), message, subject)


def put_event(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
    """Tell EventBridge, which hears of every change, actions or not."""
    at = cloudwatch._ts_iso(time.time())
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": {"value": after, "reason": reason, "timestamp": at},
        "previousState": {"value": before, "timestamp": at},
        "configuration": {"description": alarm.get("AlarmDescription") or ""},
    }
    entry = {
        "Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm["AlarmArn"]], "Detail": json.dumps(detail),
    }  # fmt: skip
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def dispatch(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
    """Act on a change of state, at once unless a suppressor holds it back."""
    put_event(alarm, before, after, reason)
    if not alarm.get("ActionsEnabled", True) or after not in _ACTIONS:
        return
    if not alarm.get("ActionsSuppressor"):
        send(alarm, before, after, reason)
        return
    wait_s = float(alarm.get("ActionsSuppressorWaitPeriod") or 0) / CONFIGURATION.pace
    _HELD[alarm["AlarmArn"]] = Held(alarm, before, after, reason, time.monotonic() + wait_s)
    release_due()


def release_due() -> None:
    """Send what no suppressor holds any more; called with every evaluation, in the scope of the alarms."""
    now = time.monotonic()
    for arn, held in list(_HELD.items()):
        alarm = held.alarm
        if cloudwatch._composite_alarms.get(alarm["AlarmName"]) is not alarm:
            continue
        if cloudwatch._rule_alarm_state(alarm["ActionsSuppressor"]) == "ALARM":
            extension_s = float(alarm.get("ActionsSuppressorExtensionPeriod") or 0) / CONFIGURATION.pace
            held.due, held.was_suppressed = now + extension_s, True
        elif held.due <= now:
            del _HELD[arn]
            if alarm["StateValue"] == held.after:
                send(alarm, held.before, held.after, held.reason)


def patch() -> Patch:
    """Send notifications as documented, held back by suppressors."""
    evaluate_all = cloudwatch._evaluate_all_alarms

    def evaluate_and_release() -> None:
        evaluate_all()
        release_due()

    return Patch(
        "alarm-actions",
        "ministack's notifications lack the alarm's ARN and metric math, suppressors are ignored, and "
        "EventBridge hears nothing",
        [
            Replacement(cloudwatch, "_dispatch_alarm_actions", dispatch),
            Replacement(cloudwatch, "_evaluate_all_alarms", evaluate_and_release),
        ],
    )
