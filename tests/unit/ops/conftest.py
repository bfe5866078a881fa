"""One local system on file, and AWS's services by moto."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.fakes.ops import BUCKET, TABLES, write_outputs


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    write_outputs(folder)
    return folder


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        _make_bucket()
        _make_table("ledger", "tenant", "document_id")
        _make_table("tenants", "tenant")
        _make_table("users", "username")
        yield


@pytest.fixture
def audited_stage(aws: None, state_dir: Path) -> None:
    boto3.client("logs", region_name="eu-central-1").create_log_group(logGroupName="/haylift/local/audit")
    boto3.client("s3", region_name="eu-central-1").create_bucket(
        Bucket="audit", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    stage = {"AuditBucketName": "audit", "AuditLogGroupName": "/haylift/local/audit"}
    write_outputs(state_dir, outputs={**TABLES, **stage})


def _make_bucket() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def _make_table(name: str, *keys: str) -> None:
    boto3.client("dynamodb", region_name="eu-central-1").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )
