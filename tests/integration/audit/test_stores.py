"""The audit's two stores and the rows of callers, against the services of a running emulator."""

import hashlib
import json
from uuid import uuid4

import pytest
from haylift.adapters.cloudwatch_audit import CloudWatchAuditTrail
from haylift.adapters.dynamodb_callers import DynamoDbCallers, DynamoDbRevocations
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.adapters.s3_audit import S3AuditArchive
from haylift.services.audit import AuditKeeper

from functions.audit.app import consume
from tests.fakes.audit import delivery
from tests.fakes.identity import user
from tests.integration.local.conftest import emulator  # noqa: F401  # a fixture
from tests.integration.local.running_emulator import RunningEmulator

RECORD = {
    "actor": "ada",
    "tenant": "acme",
    "action": "POST /v1/search",
    "resource": "",
    "outcome": "allowed",
    "request_id": "request-1",
    "source_address": "203.0.113.7",
    "code": "",
}


@pytest.fixture
def stage(emulator: RunningEmulator) -> tuple[str, str]:  # noqa: F811  # the fixture above
    """A versioned bucket and a log group of their own."""
    bucket, group = f"audit-{uuid4().hex}", f"/haylift/{uuid4().hex}/audit"
    emulator.client("s3").create_bucket(Bucket=bucket)
    emulator.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    emulator.client("logs").create_log_group(logGroupName=group)
    return bucket, group


def test_a_delivery_that_comes_twice_is_one_object_and_names_its_digest(
    emulator: RunningEmulator,  # noqa: F811  # the fixture above
    stage: tuple[str, str],
) -> None:
    bucket, group = stage
    s3, logs = emulator.client("s3"), emulator.client("logs")
    keeper = AuditKeeper(archive=S3AuditArchive(bucket, s3), trail=CloudWatchAuditTrail(group, logs))
    twice = delivery([{"audit": RECORD}, "no record", {"audit": RECORD | {"actor": "bob"}}])

    consume(twice, keeper)
    consume(twice, keeper)

    (version,) = s3.list_object_versions(Bucket=bucket)["Versions"]
    content = s3.get_object(Bucket=bucket, Key=version["Key"])["Body"].read()
    assert [json.loads(line)["actor"] for line in content.splitlines()] == ["ada", "bob"]
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert {json.loads(event["message"])["object_sha256"] for event in events} == {
        hashlib.sha256(content).hexdigest()
    }


def test_a_logged_out_token_and_its_user_are_read_together(
    emulator: RunningEmulator,  # noqa: F811  # the fixture above
) -> None:
    client = emulator.client("dynamodb")
    names = {"username": f"users-{uuid4().hex}", "token_hash": f"tokens-{uuid4().hex}"}
    for key, table in names.items():
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    users, tokens = names["username"], names["token_hash"]
    DynamoDbUsers(users, client).put(user())
    callers = DynamoDbCallers(users, tokens, client)
    before = callers.read("ada", "token-1")

    DynamoDbRevocations(tokens, client).revoke("token-1", 1_800_000_960)

    assert (before.user, before.is_revoked) == (user(), False)
    assert callers.read("ada", "token-1").is_revoked is True
    assert callers.read("ada", "token-2").is_revoked is False
