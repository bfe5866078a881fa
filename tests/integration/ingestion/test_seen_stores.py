"""Tags, versions, metadata files, receipts and events against the emulated services."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_receipts import DynamoDbReceipts
from haylift.adapters.eventbridge_changes import EventBridgeChanges
from haylift.adapters.s3_tags import S3SmallFiles, S3Tags
from haylift.adapters.s3_versions import S3Versions
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import LegalHold
from haylift.domain.receipts import Receipt
from haylift.ports.erasure import KeptVersion
from moto import mock_aws

BUCKET = "uploads"
KEY = "documents/acme/plan.md"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def bucket(*, lock: bool = False) -> Any:
    s3 = make_client("s3")
    s3.create_bucket(Bucket=BUCKET, **({"ObjectLockEnabledForBucket": True} if lock else {}))
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def put(s3: Any, key: str = KEY, data: bytes = b"text", **more: Any) -> str:
    return str(s3.put_object(Bucket=BUCKET, Key=key, Body=data, **more)["VersionId"])


def test_tags_are_of_one_version(aws: None) -> None:
    s3 = bucket()
    old, new = put(s3, Tagging="team=hr"), put(s3)
    tags = S3Tags(BUCKET, s3)

    assert tags.put_tags(KEY, old, {"team": "hr", "haylift-state": "REJECTED"})

    assert tags.tags(KEY, old) == {"team": "hr", "haylift-state": "REJECTED"}
    assert tags.tags(KEY, new) == {}
    assert tags.tags("documents/acme/none.md", old) is None
    assert not tags.put_tags("documents/acme/none.md", old, {"a": "b"})


def test_a_small_file_is_read_up_to_its_limit(aws: None) -> None:
    s3 = bucket()
    put(s3, KEY + ".metadata.json", b"{}" + b" " * 100)
    files = S3SmallFiles(BUCKET, s3)

    assert files.read(KEY + ".metadata.json", max_bytes=3) == b"{} "
    assert files.read(KEY, max_bytes=3) is None
    assert files.read("x" * 1_025, max_bytes=3) is None


def test_versions_are_of_the_very_key_and_go_for_good(aws: None) -> None:
    s3 = bucket()
    first = put(s3)
    put(s3, KEY + ".bak")
    marker = s3.delete_object(Bucket=BUCKET, Key=KEY)["VersionId"]
    versions = S3Versions(BUCKET, s3)

    found = versions.versions(KEY)
    versions.remove([*found, KeptVersion(key=KEY, version_id=first)])

    assert [kept.version_id for kept in found] == [marker, first]
    assert versions.versions(KEY) == []
    assert len(versions.versions(KEY + ".bak")) == 1
    assert not versions.is_held(found)


def test_a_legal_hold_is_seen(aws: None) -> None:
    s3 = bucket(lock=True)
    free, held = put(s3), put(s3)
    s3.put_object_legal_hold(Bucket=BUCKET, Key=KEY, VersionId=held, LegalHold={"Status": "ON"})
    versions = S3Versions(BUCKET, s3)

    s3.meta.events.register("before-call.s3.GetObjectRetention", say_there_is_none)
    assert versions.is_held([KeptVersion(key=KEY, version_id=held)])
    with pytest.raises(LegalHold):
        versions.remove([KeptVersion(key=KEY, version_id=held)])
    assert not versions.is_held([KeptVersion(key=KEY, version_id=free)])


def say_there_is_none(**_: Any) -> None:
    """What S3 answers of a version without retention; moto answers every such question with 500."""
    raise ClientError({"Error": {"Code": "NoSuchObjectLockConfiguration"}}, "GetObjectRetention")


def test_a_receipt_is_kept_by_tenant_and_verified_once(aws: None) -> None:
    client = make_client("dynamodb")
    names = ("tenant", "receipt_id")
    client.create_table(
        TableName="receipts",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
    )
    receipts = DynamoDbReceipts("receipts", client)
    receipt = Receipt(
        tenant="acme",
        receipt_id="r",
        document_id="d",
        key=KEY,
        purge=True,
        requested_by="ada",
        requested_at=5.5,
        revision=3,
        was_live=False,
        content_version=7,
        marker_version_id="m",
        expires_at=99,
        claimed_groups=frozenset({"hr"}),
    )

    receipts.put(receipt)

    assert receipts.get("acme", "r") == receipt
    assert receipts.get("globex", "r") is None
    assert receipts.verify(receipt, 6.5).verified_at == 6.5
    assert receipts.verify(receipt, 7.5).verified_at == 6.5


def test_an_event_says_what_the_documentation_says(aws: None) -> None:
    client = make_client("events")
    sent: list[dict[str, Any]] = []
    client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: sent.extend(params["Entries"])
    )
    record = DocumentRecord(
        tenant="acme",
        document_id="d",
        key=KEY,
        sequencer="",
        revision=2,
        state=DocumentState.REJECTED,
        reason="encrypted",
        version_id="v",
        received_at=1_800_000_000.0,
        updated_at=1_800_000_001.5,
    )

    EventBridgeChanges("default", client).publish(record)

    (entry,) = sent
    assert (entry["Source"], entry["DetailType"]) == ("haylift.documents", "Document State Changed")
    assert json.loads(entry["Detail"]) == {
        "tenant": "acme",
        "key": KEY,
        "document_id": "d",
        "version_id": "v",
        "revision": 2,
        "state": "REJECTED",
        "reason": "encrypted",
        "changed_at": "2027-01-15T08:00:01.500Z",
        "received_at": "2027-01-15T08:00:00.000Z",
        "searchable_at": None,
    }
