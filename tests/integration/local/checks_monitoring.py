"""What CloudWatch and EventBridge's schedules do, one check per patch of the emulator.

The emulator of these tests has minutes of three seconds: 20 seconds of an alarm are one on the wall.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.integration.local.fixture_app import NAMESPACE
from tests.integration.local.running_emulator import Check, RunningEmulator, eventually

PROBE = "conformance-probe"


def put(system: RunningEmulator, name: str, value: float, **dimensions: str) -> None:
    """Publish one value of a metric."""
    datum: dict[str, Any] = {"MetricName": name, "Value": value}
    datum["Dimensions"] = [{"Name": k, "Value": v} for k, v in dimensions.items()]
    system.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def state_of(system: RunningEmulator, name: str) -> str:
    """The state of a metric or composite alarm."""
    found = system.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def ratio_alarm(name: str) -> dict[str, Any]:
    """A template's alarm on the share of errors, with at least two calls; named as AWS's example."""

    def metric(query_id: str, metric_name: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": NAMESPACE, "MetricName": metric_name}, "Period": 20, "Stat": "Sum"}
        return {"Id": query_id, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "e1", "Expression": "IF(m2 >= 2, 100 * FILL(m1, 0) / m2, 0)", "Label": "Error Rate"}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name, "Metrics": [metric("m1", f"{name}-e"), metric("m2", f"{name}-c"), share],
            "EvaluationPeriods": 1, "Threshold": 50, "TreatMissingData": "notBreaching",
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }  # fmt: skip


def alarm_math(system: RunningEmulator) -> None:
    """ "Using metric math": an alarm on the share of errors rings for a share, not for a number."""
    name = f"ratio-{uuid4().hex[:8]}"
    system.deploy(name, {"Resources": {"Ratio": ratio_alarm(name)}})
    eventually(lambda: state_of(system, name) == "OK", "OK without data")

    put(system, f"{name}-e", 1)
    put(system, f"{name}-c", 1)
    one_call = system.stays(lambda: state_of(system, name) == "OK", 0.7)
    put(system, f"{name}-e", 1)
    put(system, f"{name}-c", 1)
    eventually(lambda: state_of(system, name) == "ALARM", "ALARM")
    eventually(lambda: state_of(system, name) == "OK", "OK again", 6)

    described = system.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    system.delete(name)
    assert one_call
    assert described["Metrics"][2]["Expression"] == "IF(m2 >= 2, 100 * FILL(m1, 0) / m2, 0)"
    assert "MetricName" not in described


def composite(name: str, rule: str, **properties: Any) -> dict[str, Any]:
    """A template's composite alarm."""
    wanted = {"AlarmName": name, "AlarmRule": rule, **properties}
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": wanted}


def composite_alarms(system: RunningEmulator) -> None:
    """ "Create a composite alarm": the state of one is that of its rule over the states of others."""
    cloudwatch, name = system.client("cloudwatch"), f"both-{uuid4().hex[:8]}"
    for part in ("a", "b/c"):
        put_static_alarm(system, f"{name}-{part}")
    rule = f'ALARM("{name}-a") AND NOT (OK("{name}-b/c") OR FALSE)'
    system.deploy(name, {"Resources": {"Both": composite(name, rule)}})
    states = []

    for part, state in (("a", "ALARM"), ("b/c", "OK"), ("b/c", "ALARM"), ("a", "OK")):
        cloudwatch.set_alarm_state(AlarmName=f"{name}-{part}", StateValue=state, StateReason="test")
        states.append(state_of(system, name))

    history = cloudwatch.describe_alarm_history(AlarmName=name, AlarmTypes=["CompositeAlarm"])
    system.delete(name)
    assert states == ["ALARM", "OK", "ALARM", "OK"]
    assert len(history["AlarmHistoryItems"]) == 5


def put_static_alarm(system: RunningEmulator, name: str, **properties: Any) -> None:
    """An alarm without data that keeps whatever state it is set to."""
    system.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace=NAMESPACE, MetricName=name, Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, TreatMissingData="ignore", ComparisonOperator="GreaterThanThreshold", **properties,
    )  # fmt: skip


def alarm_actions(system: RunningEmulator) -> None:
    """ "Alarm suppression": what a suppressor held back is told when it has ended; else at once."""
    cloudwatch, name, topic = (
        system.client("cloudwatch"),
        f"held-{uuid4().hex[:8]}",
        system.outputs["TopicName"],
    )
    names = {part: f"{name}-{part}" for part in ("cause", "deploying")}
    for each in names.values():
        put_static_alarm(system, each)
    cloudwatch.put_composite_alarm(
        AlarmName=name, AlarmRule=f"ALARM({names['cause']})", AlarmActions=[topic], OKActions=[topic],
        ActionsSuppressor=names["deploying"], ActionsSuppressorWaitPeriod=0,
        ActionsSuppressorExtensionPeriod=0,
    )  # fmt: skip

    def change(part: str, state: str) -> None:
        cloudwatch.set_alarm_state(AlarmName=names[part], StateValue=state, StateReason="test")

    def told() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(system.received("InboxName", 3)["Message"])
        return found

    told()
    change("deploying", "ALARM")
    change("cause", "ALARM")
    is_quiet = system.stays(lambda: not system.waiting("InboxName"), 0.7)
    change("deploying", "OK")
    late = told()
    change("cause", "OK")
    prompt = told()

    assert is_quiet
    assert [(m["AlarmName"], m["OldStateValue"], m["NewStateValue"]) for m in (late, prompt)] == [
        (name, "OK", "ALARM"), (name, "ALARM", "OK"),
    ]  # fmt: skip
    assert late["AlarmArn"] == f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"
    assert late["AlarmRule"] == f"ALARM({names['cause']})"


def schedules(system: RunningEmulator) -> None:
    """A rule of one minute invokes its alias with the constant input once a minute, and not when disabled."""
    events, name = system.client("events"), f"beat-{uuid4().hex[:8]}"
    function = system.client("lambda").get_function_configuration(FunctionName=PROBE)["FunctionArn"]
    system.client("lambda").create_alias(FunctionName=PROBE, Name=name, FunctionVersion="$LATEST")
    constant = json.dumps({"do": "print", "text": name})

    def beats() -> float:
        dimensions = {"FunctionName": PROBE, "Resource": f"{PROBE}:{name}"}
        return system.metric_sum("AWS/Lambda", "Invocations", dimensions)

    try:
        events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
        events.put_targets(Rule=name, Targets=[{"Id": "a", "Arn": f"{function}:{name}", "Input": constant}])
        eventually(lambda: beats() >= 2, "two beats in two minutes of three seconds", 8)
        events.disable_rule(Name=name)
        before = beats()
        is_still = system.stays(lambda: beats() <= before + 1, 3.5)
    finally:
        events.remove_targets(Rule=name, Ids=["a"])
        events.delete_rule(Name=name)

    logged = system.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{PROBE}", filterPattern=f'"{name}"'
    )
    assert is_still
    assert name in logged["events"][0]["message"]


def alarms(system: RunningEmulator) -> None:
    """Another part's failures do not ring the alarm, the watched part's do, and it clears without data."""
    cloudwatch, name = system.client("cloudwatch"), f"alarm-{uuid4().hex}"
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace=NAMESPACE, MetricName=name, Statistic="Sum", Period=20, EvaluationPeriods=1,
        Dimensions=[{"Name": "Part", "Value": "watched"}], Threshold=1, TreatMissingData="notBreaching",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    def fail(part: str) -> None:
        dimensions = [{"Name": "Part", "Value": part}]
        data = [{"MetricName": name, "Value": 1, "Dimensions": dimensions}]
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)

    eventually(lambda: state() == "OK", "OK at first")
    fail("other")
    assert state() == "OK"
    fail("watched")
    eventually(lambda: state() == "ALARM", "ALARM")
    eventually(lambda: state() == "OK", "OK again", 6)


def queue_metrics(system: RunningEmulator) -> None:
    """The number of waiting messages and the age of the oldest are metrics of the queue."""
    url = system.outputs["UnreadName"]
    system.client("sqs").send_message(QueueUrl=url, MessageBody='"waits"')
    dimensions = {"QueueName": url.rsplit("/", 1)[-1]}

    def newest(name: str) -> float:
        return system.metric_sum("AWS/SQS", name, dimensions, "SampleCount")

    before = newest("ApproximateNumberOfMessagesVisible")
    eventually(lambda: newest("ApproximateNumberOfMessagesVisible") > before, "metrics of the queue", 1.5)
    assert system.metric_sum("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, "Maximum") >= 1
    assert system.metric_sum("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions, "Maximum") > 0
    sent = system.metric_sum("AWS/SQS", "NumberOfMessagesSent", dimensions)
    deleted = system.metric_sum("AWS/SQS", "NumberOfMessagesDeleted", dimensions)
    system.client("sqs").send_message(QueueUrl=url, MessageBody='"short"')
    system.received("UnreadName")
    eventually(
        lambda: system.metric_sum("AWS/SQS", "NumberOfMessagesDeleted", dimensions) == deleted + 1, "deletion"
    )
    assert system.metric_sum("AWS/SQS", "NumberOfMessagesSent", dimensions) == sent + 1


def metric_data(system: RunningEmulator) -> None:
    """Trimmed counts, expressions and pages of GetMetricData, by the wording of its API reference."""
    cloudwatch, name = system.client("cloudwatch"), f"time-{uuid4().hex[:8]}"
    dimensions = [{"Name": "Part", "Value": "a"}]
    values = {"Values": [0.2, 0.5, 4.0], "Counts": [3, 1, 1], "Dimensions": dimensions}
    now = datetime.now(UTC).replace(second=30)
    points = [{**values, "MetricName": name, "Timestamp": now - timedelta(minutes=m)} for m in (1, 2)]
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=points)
    put(system, name, 100, Part="b")
    metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}

    def stat(query_id: str, statistic: str) -> dict[str, Any]:
        return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}

    span = {"StartTime": now - timedelta(minutes=3), "EndTime": now}
    queries = [stat("m1", "TC(:0.5)"), stat("m2", "SampleCount"), stat("m3", "PR(0.5:5)")]
    queries += [{"Id": "e1", "Expression": "100 * m1 / m2", "Label": "quick"}]
    whole = cloudwatch.get_metric_data(MetricDataQueries=queries, ScanBy="TimestampAscending", **span)
    found = {result["Id"]: result["Values"] for result in whole["MetricDataResults"]}
    pages = [
        [len(result["Values"]) for result in page["MetricDataResults"]]
        for page in system.pages("get_metric_data", MetricDataQueries=queries[:2], MaxDatapoints=3, **span)
    ]
    listed = [
        metric["Dimensions"]
        for page in system.pages(
            "list_metrics", MetricName=name, RecentlyActive="PT3H", Dimensions=dimensions
        )
        for metric in page["Metrics"]
    ]

    assert found == {"m1": [4, 4], "m2": [5, 5], "m3": [20, 20], "e1": [80, 80]}
    assert [at.second for at in whole["MetricDataResults"][0]["Timestamps"]] == [0, 0]
    assert pages == [[2, 1], [1]]
    assert listed == [dimensions]
    assert refusal(system, [stat("m1", "Median")], span) == "ValidationError"
    assert refusal(system, [{"Id": "e1", "Expression": "m9 + 1"}], span) == "ValidationError"


def refusal(system: RunningEmulator, queries: list[dict[str, Any]], span: dict[str, Any]) -> str:
    """The error code that GetMetricData answers; empty when it answers data."""
    try:
        system.client("cloudwatch").get_metric_data(MetricDataQueries=queries, **span)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def metric_memory(system: RunningEmulator) -> None:
    """A thousand equal values of a function take no more room than a few, and count a thousand times."""
    part = uuid4().hex
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Part"]], "Metrics": [{"Name": "Found"}]}
    record = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "Part": part, "Found": [1] * 100}

    system.invoke(PROBE, {"do": "print", "text": "\n".join([json.dumps(record)] * 10)})

    assert system.metric_sum(NAMESPACE, "Found", {"Part": part}) == 1000
    assert system.records(NAMESPACE, "Found", {"Part": part}) <= 10


CHECKS_OF_MONITORING: dict[str, Check] = {
    "metric-data": metric_data,
    "metric-memory": metric_memory,
    "alarms": alarms,
    "alarm-math": alarm_math,
    "composite-alarms": composite_alarms,
    "alarm-actions": alarm_actions,
    "schedules": schedules,
    "queue-metrics": queue_metrics,
}
