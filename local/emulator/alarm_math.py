"""Patches `alarm-math` and `composite-alarms`: what a template or PutMetricAlarm may define.

ministack refuses `Metrics` in templates and forgets them in PutMetricAlarm, and has no
AWS::CloudWatch::CompositeAlarm; rules themselves it evaluates as AWS does. An `ActionsSuppressor` is kept
with its alarm, for `alarm-actions`.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.emulator.metric_queries import QueryFault, check_alarm
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch", (
        "_put_metric_alarm", "_put_composite_alarm", "_delete_alarms", "_error", "_alarms",
        "_composite_alarms",
    )),
    Needs("ministack.services.cloudformation.provisioners", ("_cw_metric_alarm_record", "_physical_name")),
]  # fmt: skip
# What an alarm on one metric has, and an alarm on metric math does not.
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_STAND_IN = {"MetricName": "-", "Namespace": "-"}


def math_record(record: dict[str, Any], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of an alarm on metric math, from ministack's record of an alarm on one metric."""
    check_alarm(metrics)
    kept = {name: value for name, value in record.items() if name not in _OF_ONE_METRIC}
    return {**kept, "Metrics": json.loads(json.dumps(metrics))}


def math_patch() -> Patch:
    """Accept `Metrics` in templates and in PutMetricAlarm."""
    template_record, put = provisioners._cw_metric_alarm_record, cloudwatch._put_metric_alarm

    def from_template(name: str, props: dict[str, Any]) -> dict[str, Any]:
        metrics = props.get("Metrics")
        if not metrics:
            return dict(template_record(name, props))
        plain = {key: value for key, value in props.items() if key != "Metrics"}
        return math_record(template_record(name, {**plain, **_STAND_IN}), metrics)

    def put_alarm(params: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        metrics = request.get("Metrics")
        try:
            check_alarm(metrics or _ONE_METRIC)
        except QueryFault as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        answer = put(params, request, is_cbor, is_json)
        if metrics and answer[0] == 200:
            name = request["AlarmName"]
            cloudwatch._alarms[name] = math_record(cloudwatch._alarms[name], metrics)
        return answer

    return Patch(
        "alarm-math",
        "ministack refuses metric math in alarms of templates and forgets it in PutMetricAlarm",
        [
            Replacement(provisioners, "_cw_metric_alarm_record", from_template),
            Replacement(cloudwatch, "_put_metric_alarm", put_alarm),
        ],
    )


_ONE_METRIC = [{"Id": "m", "MetricStat": {"Period": 60}}]


def _suppression(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: request[name] for name in _SUPPRESSION if request.get(name) not in (None, "")}


def _put_composite(name: str, props: dict[str, Any]) -> tuple[str, dict[str, str]]:
    status, _headers, body = cloudwatch._put_composite_alarm({}, {**props, "AlarmName": name}, False, True)
    if status >= 400:
        raise ValueError(json.loads(body)["message"])
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
    return _put_composite(
        props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255), props
    )


def _update(physical_id: str, _old: Any, new: dict[str, Any], *_: Any, **__: Any) -> tuple[str, Any]:
    made = _put_composite(new.get("AlarmName") or physical_id, new)
    if made[0] != physical_id:
        _delete(physical_id)
    return made


def _delete(physical_id: str, _props: Any = None) -> None:
    cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True)


def composite_patch() -> Patch:
    """Make composite alarms from templates, and keep the suppressor of every one."""
    put = cloudwatch._put_composite_alarm

    def put_alarm(params: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        answer = put(params, request, is_cbor, is_json)
        if answer[0] == 200 and request.get("AlarmName") in cloudwatch._composite_alarms:
            cloudwatch._composite_alarms[request["AlarmName"]].update(_suppression(request))
        return answer

    handler = {"create": _create, "update": _update, "delete": _delete}
    table = provisioners._RESOURCE_HANDLERS
    return Patch(
        "composite-alarms",
        "ministack refuses templates with composite alarms and forgets their suppressor",
        [
            Replacement(cloudwatch, "_put_composite_alarm", put_alarm),
            Replacement(table, "AWS::CloudWatch::CompositeAlarm", handler),
        ],
    )
