"""The bucket and the lanes at the border of the AWS SDK."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from haylift.adapters.aws import make_client
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.sqs_lanes import SqsLanes, read_order
from haylift.domain.documents import DocumentKey, Lane
from haylift.domain.errors import InvalidInput, StoreUnavailable
from haylift.domain.events import IngestionOrder
from moto import mock_aws

BUCKET = "uploads"
KEY = "documents/acme/a b+c%20😀.md"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def client() -> Any:
    s3 = make_client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def objects(client: Any) -> S3Objects:
    return S3Objects(BUCKET, client)


def put(client: Any, data: bytes, **metadata: str) -> str:
    answer = client.put_object(
        Bucket=BUCKET, Key=KEY, Body=data, ContentType="text/markdown", Metadata=metadata
    )
    return str(answer["VersionId"])


def test_each_version_is_seen_and_read_for_itself(objects: S3Objects, client: Any, tmp_path: Path) -> None:
    first = put(client, b"one", **{"Access-Groups": "hr"})
    second = put(client, b"second")

    current, old = objects.head(KEY), objects.head(KEY, first)

    assert current is not None
    assert old is not None
    assert (current.version_id, current.size_bytes) == (second, 6)
    assert (old.version_id, old.content_type, old.metadata) == (
        first,
        "text/markdown",
        {"access-groups": "hr"},
    )
    assert objects.download(KEY, first, tmp_path / "file") == old
    assert (tmp_path / "file").read_bytes() == b"one"


def test_what_is_gone_is_none(objects: S3Objects, client: Any, tmp_path: Path) -> None:
    version_id = put(client, b"one")
    marker = client.delete_object(Bucket=BUCKET, Key=KEY)["VersionId"]

    assert objects.head(KEY) is None
    assert objects.head(KEY, marker) is None
    assert objects.head("documents/acme/never.md") is None
    assert objects.head(KEY, version_id) is not None
    client.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version_id)
    assert objects.head(KEY, version_id) is None
    assert objects.download(KEY, version_id, tmp_path / "file") is None


def test_deleting_puts_a_marker_and_twice_is_no_error(objects: S3Objects, client: Any) -> None:
    version_id = put(client, b"one")

    objects.delete(KEY)
    objects.delete(KEY)

    assert objects.head(KEY) is None
    assert objects.head(KEY, version_id) is not None


def test_metadata_beyond_ascii_is_read(objects: S3Objects, client: Any) -> None:
    put(client, b"one", title="=?UTF-8?B?w5xiZXI=?=", language="=?not really")

    found = objects.head(KEY)

    assert found is not None
    assert found.metadata == {"title": "Über", "language": "=?not really"}


def test_a_form_is_for_one_key_and_size(objects: S3Objects) -> None:
    said = {"access-groups": "Bücher,hr"}
    form = objects.upload_form(
        KEY, max_bytes=1_000, expires_s=900, content_type="text/markdown", metadata=said
    )

    assert form.fields["key"] == KEY
    assert form.fields["Content-Type"] == "text/markdown"
    assert form.fields["x-amz-meta-access-groups"] == "=?utf-8?q?B=C3=BCcher=2Chr?="
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert (form.max_bytes, form.expires_s) == (1_000, 900)
    with pytest.raises(InvalidInput):
        objects.upload_form("documents/acme/${filename}", max_bytes=1, expires_s=1)


def test_a_download_address_names_the_version(objects: S3Objects) -> None:
    url = objects.download_url(KEY, "v1", expires_s=300)

    assert "versionId=v1" in url
    assert "X-Amz-Expires=300" in url
    assert "response-content-disposition=attachment" in url


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1"), StoreUnavailable),
        (ClientError({"Error": {"Code": "SlowDown"}}, "HeadObject"), StoreUnavailable),
        (ClientError({"Error": {"Code": "403"}}, "HeadObject"), ClientError),
    ],
)
def test_a_bucket_that_does_not_answer_is_no_deletion(
    objects: S3Objects, client: Any, fault: Exception, expected: type[Exception]
) -> None:
    def fail(**_: Any) -> None:
        raise fault

    client.meta.events.register("before-call.s3.HeadObject", fail)

    with pytest.raises(expected):
        objects.head(KEY)


def test_an_order_travels_through_its_lane() -> None:
    sqs = make_client("sqs")
    urls = {lane: sqs.create_queue(QueueName=lane.value)["QueueUrl"] for lane in Lane}
    order = IngestionOrder(tenant="acme", document_id=DocumentKey.parse(KEY).document_id, key=KEY, revision=3)

    SqsLanes(urls, sqs).send(Lane.BACKFILL, order)

    received = sqs.receive_message(QueueUrl=urls[Lane.BACKFILL], AttributeNames=["MessageGroupId"])
    (message,) = received["Messages"]
    assert read_order(message["Body"]) == order
    assert message["Attributes"] == {"MessageGroupId": "acme"}
    assert "Messages" not in sqs.receive_message(QueueUrl=urls[Lane.INTERACTIVE])


def shown(client: Any) -> set[str]:
    return {entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_a_rejected_version_is_set_aside_as_it_was(objects: S3Objects, client: Any) -> None:
    key = DocumentKey.parse(KEY)
    first = put(client, b"one", title="x")
    version = objects.head(KEY, first)
    assert version is not None
    put(client, b"two")

    for _ in range(2):
        written = objects.set_aside(key, version, {"reason": "damaged"})

    copy, reason = "quarantine/acme/a b+c%20😀.md", "quarantine/acme/a b+c%20😀.md.reason.json"
    found = client.get_object(Bucket=BUCKET, Key=copy)
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
        b"one",
        "application/octet-stream",
        {},
    )
    said = json.loads(client.get_object(Bucket=BUCKET, Key=reason)["Body"].read())
    assert said == {"reason": "damaged", "copied": True}
    objects.take_back(written)
    assert shown(client) == {KEY, copy, reason}
    objects.release(key)
    objects.release(key)
    assert shown(client) == {KEY}


def test_a_version_that_is_gone_leaves_its_reason(objects: S3Objects, client: Any) -> None:
    key = DocumentKey.parse(KEY)
    version_id = put(client, b"one")
    version = objects.head(KEY, version_id)
    assert version is not None
    client.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version_id)

    objects.set_aside(key, version, {"reason": "damaged"})

    assert shown(client) == {"quarantine/acme/a b+c%20😀.md.reason.json"}
