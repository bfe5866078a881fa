"""Where `ops status` looks: each source is one function, and none knows another."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from haylift.adapters.dynamodb_lane_holds import DynamoDbLaneHolds
from haylift.adapters.dynamodb_ledger_reads import OPEN_DOCUMENTS
from haylift.domain.lanes import LaneHolds

from ops.deployment import QUEUES, Deployment, Patience, queue_output
from ops.logs import FUNCTIONS
from ops.measurements import AwsMetric, Measurements, Series, read_measurements
from ops.state import AlarmState, Backlog, Deploy, QueueState, SourceState

QUICK = Patience(connect_s=1.0, read_s=3.0, attempts=1)
"""For a screen that is shown within five seconds."""

ANNOUNCER = "announcer"
HEARTBEAT = "heartbeat"
MISSING = "MISSING"
RUNBOOK = re.compile(r"docs/runbooks/[\w-]+\.md")
SEVERITY = re.compile(r"^(PAGE|TICKET|PART)\b[\s:.,;|-]*")
FIRST_COMMAND = re.compile(r"\n\s*1[.)] ")


def measurements(deployment: Deployment, *, now_s: float, minutes: float) -> Measurements:
    """Our metrics, and AWS's of the gateway, the queues and the functions."""
    return read_measurements(
        deployment.client("cloudwatch", QUICK), aws_series(deployment.stage), now_s=now_s, minutes=minutes
    )


def aws_series(stage: str) -> list[Series]:
    """The series of AWS's that belong to a stage."""
    api = (("ApiName", f"haylift-{stage}-api"),)
    gateway = (AwsMetric.GATEWAY_CALLS, AwsMetric.GATEWAY_REFUSALS, AwsMetric.GATEWAY_FAILURES)
    functions = (AwsMetric.INVOCATIONS, AwsMetric.FUNCTION_ERRORS, AwsMetric.THROTTLES)
    return [
        *(Series(metric, "Sum", api) for metric in gateway),
        *(
            Series(AwsMetric.QUEUE_AGE, "Maximum", (("QueueName", f"haylift-{stage}-{queue}"),))
            for queue in QUEUES
        ),
        Series(AwsMetric.STREAM_AGE, "Maximum", (("FunctionName", f"haylift-{stage}-{ANNOUNCER}"),)),
        *(
            Series(metric, "Sum", (("FunctionName", f"haylift-{stage}-{function}"),))
            for metric in functions
            for function in FUNCTIONS
        ),
    ]


def queues(deployment: Deployment) -> tuple[QueueState, ...]:
    """The queues of ingestion as SQS counts them at this moment, approximately."""
    client = deployment.client("sqs", QUICK)
    lanes = tuple(_queue(client, name, deployment.output(queue_output(name))) for name in QUEUES)
    if (url := deployment.outputs.get("AuditDeadQueueUrl")) is None:
        return lanes
    dead = int(_counted(client, url)["ApproximateNumberOfMessages"])
    return (*lanes, QueueState(name="audit", visible=0, in_flight=0, delayed=0, dead=dead))


def _counted(client: Any, queue_url: str) -> Mapping[str, str]:
    asked = ["All"]
    attributes: Mapping[str, str] = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=asked)[
        "Attributes"
    ]
    return attributes


def _queue(client: Any, name: str, url: str) -> QueueState:
    now = _counted(client, url)
    return QueueState(
        name=name,
        visible=int(now["ApproximateNumberOfMessages"]),
        in_flight=int(now["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(now["ApproximateNumberOfMessagesDelayed"]),
        dead=int(_counted(client, f"{url}-dead")["ApproximateNumberOfMessages"]),
    )


def alarms(deployment: Deployment, patience: Patience | None = QUICK) -> tuple[AlarmState, ...]:
    """All alarms of the stage, by name."""
    pages = (
        deployment.client("cloudwatch", patience)
        .get_paginator("describe_alarms")
        .paginate(
            AlarmNamePrefix=f"haylift-{deployment.stage}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    )
    found = [
        alarm_of(alarm)
        for page in pages
        for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
    ]
    return tuple(sorted(found, key=lambda alarm: alarm.name))


def alarm_of(alarm: Mapping[str, Any]) -> AlarmState:
    """One alarm of DescribeAlarms; its description begins with the severity and ends with the runbook."""
    description = str(alarm.get("AlarmDescription") or "")
    severity = SEVERITY.match(description)
    runbook = RUNBOOK.search(description)
    symptom = FIRST_COMMAND.split(SEVERITY.sub("", description), maxsplit=1)[0]
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return AlarmState(
        name=str(alarm["AlarmName"]),
        state=str(alarm["StateValue"]),
        severity=severity.group(1) if severity else "",
        since=iso(since) if isinstance(since, datetime) else "",
        symptom=" ".join(symptom.split()),
        runbook=runbook.group(0) if runbook else "",
        reason=str(alarm.get("StateReason") or ""),
        description=description,
    )


def event_sources(deployment: Deployment, patience: Patience | None = QUICK) -> tuple[SourceState, ...]:
    """The queues that feed functions of the stage, by queue."""
    prefix = f"haylift-{deployment.stage}-"
    pages = deployment.client("lambda", patience).get_paginator("list_event_source_mappings").paginate()
    found = [
        SourceState(
            queue=str(mapping["EventSourceArn"]).rsplit(":", 1)[-1].removeprefix(prefix),
            function=_function_name(str(mapping["FunctionArn"])).removeprefix(prefix),
            state=str(mapping["State"]),
            mapping_id=str(mapping["UUID"]),
        )
        for page in pages
        for mapping in page["EventSourceMappings"]
        if _function_name(str(mapping["FunctionArn"])).startswith(prefix)
    ]
    return tuple(sorted(found, key=lambda source: source.queue))


def _function_name(arn: str) -> str:
    """The name in a function's ARN, with or without an alias.

    >>> _function_name("arn:aws:lambda:eu-central-1:000000000000:function:haylift-dev-ingestion:live")
    'haylift-dev-ingestion'
    """
    return arn.partition(":function:")[2].partition(":")[0]


def lane_holds(deployment: Deployment) -> LaneHolds:
    """Who holds which lane closed."""
    client = deployment.client("dynamodb", QUICK)
    return DynamoDbLaneHolds(deployment.output("TenantsTableName"), client).read()


def signing_key(deployment: Deployment) -> str:
    """KMS's state of the key that signs access tokens."""
    client = deployment.client("kms", QUICK)
    return str(client.describe_key(KeyId=deployment.output("SigningKeyId"))["KeyMetadata"]["KeyState"])


def heartbeat_rule(deployment: Deployment) -> str:
    """EventBridge's state of the heartbeat's rule, or `MISSING`."""
    client = deployment.client("events", QUICK)
    try:
        return str(client.describe_rule(Name=f"haylift-{deployment.stage}-{HEARTBEAT}")["State"])
    except client.exceptions.ResourceNotFoundException:
        return MISSING


def backlog(deployment: Deployment) -> Backlog:
    """Unfinished documents by tenant, from the ledger's index of them: at most its first megabyte."""
    page = deployment.client("dynamodb", QUICK).scan(
        TableName=deployment.output("LedgerTableName"),
        IndexName=OPEN_DOCUMENTS,
        ProjectionExpression="open_tenant",
    )
    counts: dict[str, int] = {}
    for item in page["Items"]:
        tenant = item["open_tenant"]["S"]
        counts[tenant] = counts.get(tenant, 0) + 1
    largest_first = dict(sorted(counts.items(), key=lambda entry: -entry[1]))
    return Backlog(documents_by_tenant=largest_first, is_whole="LastEvaluatedKey" not in page)


def last_deploy(deployment: Deployment) -> Deploy | None:
    """The stage's stack that changed last."""
    client = deployment.client("cloudformation", QUICK)
    changes = [
        (stack.get("LastUpdatedTime") or stack["CreationTime"], stack["StackName"], stack["StackStatus"])
        for page in client.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if stack["StackName"].startswith(f"haylift-{deployment.stage}-")
    ]
    if not changes:
        return None
    at, name, status = max(changes)
    return Deploy(stack=name, status=status, at=iso(at))


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second.

    >>> iso(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
