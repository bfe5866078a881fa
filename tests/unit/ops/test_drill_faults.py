"""Faults through AWS's APIs: made, repaired, repaired again, and repaired when they were never made."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.deployment import Deployment, queue_output
from ops.drill import letters, uploads
from ops.drill.faults import Fault, Impatient, KeyDisabled, RuleDisabled, SourcesDisabled, Throttled
from ops.drill.ground import Ground
from tests.fakes.drills import ground as plain_ground
from tests.fakes.ops import BUCKET
from tests.fakes.ops_stage import client, deploy

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def ground(state_dir: Path, aws: None) -> Ground:  # after moto
    """A stage whose lanes feed ingestion, with redrive policies."""
    outputs = deploy(state_dir)
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "")
    for name in ("ingestion", "search"):
        client("lambda").create_function(
            FunctionName=f"haylift-local-{name}", Runtime="python3.13", Role=role,
            Handler="handler.handler", Code={"ZipFile": archive.getvalue()},
        )  # fmt: skip
    for lane in ("interactive", "backfill"):
        url = outputs[queue_output(lane)]
        dead = f"arn:aws:sqs:eu-central-1:123456789012:haylift-local-{lane}-dead"
        policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 10})
        attributes = {"VisibilityTimeout": "180", "RedrivePolicy": policy}
        client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
        arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        client("lambda").create_event_source_mapping(
            FunctionName="haylift-local-ingestion", EventSourceArn=arn["QueueArn"]
        )
    made = plain_ground(state_dir)
    named = {**outputs, "UploadBucketName": BUCKET}
    deployment = Deployment(stage="local", region="eu-central-1", outputs=named)
    return type(made)(made.session, deployment, minute_s=60.0)


def concurrency(ground: Ground) -> object:
    found = client("lambda").get_function_concurrency(FunctionName="haylift-local-search")
    return found.get("ReservedConcurrentExecutions")


def key_state(ground: Ground) -> object:
    key = ground.deployment.output("SigningKeyId")
    return client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


def rule_state(ground: Ground) -> object:
    return client("events").describe_rule(Name="haylift-local-heartbeat")["State"]


def lanes(ground: Ground) -> object:
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return sorted((m["EventSourceArn"].rsplit("-", 1)[-1], m["State"]) for m in mappings)


def patience(ground: Ground) -> object:
    url = ground.deployment.output("InteractiveQueueUrl")
    names = ["VisibilityTimeout", "RedrivePolicy"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return found["VisibilityTimeout"], json.loads(found["RedrivePolicy"])["maxReceiveCount"]


CASES: dict[str, tuple[Fault, Callable[[Ground], object], object]] = {
    "throttled": (Throttled(("search",)), concurrency, 0),
    "key disabled": (KeyDisabled(), key_state, "Disabled"),
    "rule disabled": (RuleDisabled("heartbeat"), rule_state, "DISABLED"),
    "lane disabled": (
        SourcesDisabled(("backfill",)),
        lanes,
        [("backfill", "Disabled"), ("interactive", "Enabled")],
    ),
    "queue impatient": (Impatient(("interactive",), receives=2), patience, ("4", 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_breaks_and_its_repair_restores(ground: Ground, case: str) -> None:
    fault, look, broken = CASES[case]
    healthy = look(ground)
    known = json.loads(json.dumps(fault.learn(ground)))

    fault.inject(ground, known)
    assert look(ground) == broken != healthy
    fault.repair(ground, known)
    assert look(ground) == healthy
    fault.repair(ground, known)
    assert look(ground) == healthy


@pytest.mark.parametrize("case", CASES)
def test_repairing_what_is_whole_changes_nothing(ground: Ground, case: str) -> None:
    fault, look, _ = CASES[case]
    healthy = look(ground)

    fault.repair(ground, json.loads(json.dumps(fault.learn(ground))))

    assert look(ground) == healthy


def test_a_reserved_concurrency_is_given_back(ground: Ground) -> None:
    client("lambda").put_function_concurrency(
        FunctionName="haylift-local-search", ReservedConcurrentExecutions=5
    )
    fault = Throttled(("search",))
    known = fault.learn(ground)

    fault.inject(ground, known)
    fault.repair(ground, known)

    assert concurrency(ground) == 5


def test_only_the_drills_own_files_and_dead_letters_go(ground: Ground) -> None:
    dead = ground.deployment.output("InteractiveQueueUrl") + "-dead"
    uploads.put(ground, uploads.new_path("a.txt"), b"of a drill")
    uploads.put(ground, uploads.new_path("b.txt", is_bulk=True), b"of a drill")
    uploads.put(ground, "handbook.txt", b"of a user")
    for key in ("documents/acme/drill/a.txt", "documents/acme/handbook.txt"):
        client("sqs").send_message(QueueUrl=dead, MessageBody=json.dumps({"key": key}))

    assert uploads.remove_all(ground) == 2
    assert letters.drop_dead_letters(ground, "interactive") == 1

    left: list[Any] = client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [found["Key"] for found in left] == ["documents/acme/handbook.txt"]
    messages = client("sqs").receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(one["Body"])["key"] for one in messages] == ["documents/acme/handbook.txt"]
