"""A whole stage in moto, as the stacks deploy it: what the commands of the people on call look at."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from ops.deployment import queue_output
from tests.fakes.ops import TABLES, write_outputs

REGION = "eu-central-1"
AUDIT_BUCKET, AUDIT_GROUP = "audit", "/haylift/local/audit"
QUEUES = ("intake", "intake-bulk", "interactive", "backfill")
ALARM_DESCRIPTION = (
    "PAGE Calls of the embedding endpoint fail.\n"
    "1. python -m ops status\n"
    "2. python -m ops logs search --minutes 15\n"
    "Runbook: docs/runbooks/model-endpoint-failing.md"
)


def client(service: str) -> Any:
    """A client of the stage's region."""
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs list each name


def deploy(state_dir: Path) -> dict[str, str]:
    """Makes the stage's queues, key, rule, audit, inbox and alarms; gives the outputs, also on file."""
    sqs = client("sqs")
    outputs = {"AuditBucketName": AUDIT_BUCKET, "AuditLogGroupName": AUDIT_GROUP}
    for queue in QUEUES:
        url = sqs.create_queue(QueueName=f"haylift-local-{queue}")["QueueUrl"]
        sqs.create_queue(QueueName=f"haylift-local-{queue}-dead")
        outputs[queue_output(queue)] = url
    outputs["AuditDeadQueueUrl"] = sqs.create_queue(QueueName="haylift-local-audit-dead")["QueueUrl"]
    outputs["OnCallInboxUrl"] = sqs.create_queue(QueueName="haylift-local-on-call-inbox")["QueueUrl"]
    outputs["SigningKeyId"] = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("events").put_rule(Name="haylift-local-heartbeat", ScheduleExpression="rate(1 minute)")
    client("logs").create_log_group(logGroupName=AUDIT_GROUP)
    client("s3").create_bucket(Bucket=AUDIT_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    put_alarm("model-endpoint-failing")
    write_outputs(state_dir, outputs={**TABLES, **outputs})
    return outputs


def put_alarm(symptom: str) -> None:
    """One alarm in state OK."""
    client("cloudwatch").put_metric_alarm(
        AlarmName=f"haylift-local-{symptom}",
        AlarmDescription=ALARM_DESCRIPTION,
        Namespace="Haylift",
        MetricName="model_failures",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    set_state(symptom, "OK", "fine")


def set_state(symptom: str, state: str, reason: str) -> None:
    """Moves an alarm to a state."""
    client("cloudwatch").set_alarm_state(
        AlarmName=f"haylift-local-{symptom}", StateValue=state, StateReason=reason
    )


def notify(url: str, *, at: str, alarm: str, old: str, new: str) -> None:
    """What SNS puts into the inbox for one change of an alarm."""
    change: Mapping[str, str] = {
        "AlarmName": alarm,
        "AlarmDescription": ALARM_DESCRIPTION,
        "OldStateValue": old,
        "NewStateValue": new,
        "NewStateReason": f"{new} because of a test",
        "StateChangeTime": at,
    }
    envelope = {"Type": "Notification", "Subject": f"{new}: {alarm}", "Message": json.dumps(change)}
    client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(envelope))


def audit_records() -> list[dict[str, Any]]:
    """What the audit log group holds."""
    events = client("logs").filter_log_events(logGroupName=AUDIT_GROUP)["events"]
    return [json.loads(event["message"]) for event in events]
