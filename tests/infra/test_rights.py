"""Least privilege: what each function may do, on which kind of resource, and nothing else."""

import copy
import json
import re
from collections.abc import Mapping

import pytest

from tests.infra.assembly import STAGES, Template, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}
OBJECTS = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}
METADATA = {"s3:GetObjectVersionTagging"}
PURGE = {
    "s3:DeleteObjectVersion", "s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:ListBucketVersions",
    "s3:GetBucketObjectLockConfiguration",
}  # fmt: skip
TAKEN = {
    "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl", "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}  # fmt: skip
STREAM = {
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
}  # fmt: skip
ALLOWED = {
    "announcer": LOGS
    | STREAM
    | {
        "dynamodb:GetItem",
        "events:PutEvents",
        "sqs:SendMessage",
        "s3:GetObjectVersionTagging",
        "s3:PutObjectVersionTagging",
        "s3:ListBucket",
    },
    "audit": LOGS | {"s3:PutObject", "sqs:SendMessage"},
    "auth": LOGS | READ | WRITE | {"kms:Sign", "kms:GetPublicKey"},
    "authorizer": LOGS | {"dynamodb:GetItem", "dynamodb:BatchGetItem", "kms:GetPublicKey"},
    "dispatch": LOGS | READ | WRITE | OBJECTS | METADATA | TAKEN | {"sqs:SendMessage"},
    "gate": LOGS
    | {"dynamodb:GetItem", "dynamodb:UpdateItem", "sagemaker:InvokeEndpoint", "cloudwatch:DescribeAlarms"}
    | {"lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"},
    "documents": LOGS
    | READ
    | OBJECTS
    | PURGE
    | {
        "s3:PutObject",
        "s3:DeleteObject",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    },
    "ingestion": LOGS
    | READ
    | WRITE
    | OBJECTS
    | METADATA
    | TAKEN
    | {"sagemaker:InvokeEndpoint", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    | {"s3:ListBucketVersions"},
    "maintenance": LOGS
    | READ
    | WRITE
    | OBJECTS
    | METADATA
    | {"dynamodb:Scan", "s3:DeleteObject", "s3:ListBucketVersions", "sqs:SendMessage"},
    "metrics": LOGS | {"cloudwatch:ListMetrics", "cloudwatch:GetMetricData"},
    "reference": LOGS,
    "search": LOGS | READ | {"dynamodb:Scan", "dynamodb:PutItem", "sagemaker:InvokeEndpoint"},
}
BY_THE_NETWORK = ("ec2:", "es:")
"""Rights that only stages on AWS give, to functions inside the network."""


def rights_of(stacks: Mapping[str, Template]) -> dict[str, set[str]]:
    """The actions that the roles of our functions have, by function."""
    found: dict[str, set[str]] = {}
    for _, _, policy in resources(stacks, "AWS::IAM::Policy"):
        for role in policy["Roles"]:
            match = re.match(r"([a-z]+)Role[0-9A-F]{8}$", role["Ref"])
            if match and match[1] in ALLOWED:
                found.setdefault(match[1], set()).update(_actions(policy))
    return found


def _actions(policy: Template) -> set[str]:
    statements = policy["PolicyDocument"]["Statement"]
    lists = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
    return {action for actions in lists for action in actions if not action.startswith(BY_THE_NETWORK)}


def rights_faults(found: Mapping[str, set[str]]) -> list[str]:
    """Rights too many, too few, and functions without any."""
    return [
        f"{name}: {'too much' if action in found.get(name, set()) else 'lacks'} {action}"
        for name, allowed in ALLOWED.items()
        for action in sorted(allowed ^ found.get(name, set()))
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_functions_may_do_what_they_need_and_nothing_else(stage: str) -> None:
    assert rights_faults(rights_of(templates(stage))) == []


def test_a_right_too_many_would_be_seen() -> None:
    found = copy.deepcopy(rights_of(templates("prod")))
    found["reference"].add("s3:GetObject")
    found["metrics"].discard("cloudwatch:ListMetrics")

    assert rights_faults(found) == [
        "metrics: lacks cloudwatch:ListMetrics",
        "reference: too much s3:GetObject",
    ]


def test_a_rating_can_be_added_and_no_other_table_is_written_by_search() -> None:
    written = [
        json.dumps(statement["Resource"])
        for _, _, policy in resources(templates("prod"), "AWS::IAM::Policy")
        if any("searchRole" in role["Ref"] for role in policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
        if "dynamodb:PutItem" in str(statement["Action"])
    ]

    assert len(written) == 1
    assert "Feedback" in written[0]
