"""The bucket and the log group of the audit: written once, within the limits, and never lost in silence."""

import base64
import hashlib
import time
from collections.abc import Iterator

import boto3
import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.cloudwatch_audit import MAX_CALL_BYTES, CloudWatchAuditTrail, calls
from haylift.adapters.s3_audit import S3AuditArchive
from haylift.domain.errors import StoreUnavailable
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws


def test_a_call_of_the_log_group_fits_its_limits() -> None:
    day_ms = 86_400_000
    events = [(day_ms, "b"), (0, "a"), (day_ms - 1, "c" * 600_000), (day_ms - 1, "d" * 600_000)]

    parts = list(calls(events))

    assert [[text[0] for _, text in part] for part in parts] == [["a", "c"], ["d", "b"]]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 400_000)), max_size=12))
def test_every_event_is_in_exactly_one_call(sizes: list[tuple[int, int]]) -> None:
    events = [(at_ms, "x" * size) for at_ms, size in sizes]

    parts = list(calls(events))

    assert sorted(event for part in parts for event in part) == sorted(events)
    for part in parts:
        assert part == sorted(part, key=lambda event: event[0])
        assert part[-1][0] - part[0][0] < 86_400_000
        assert sum(len(text) + 26 for _, text in part) <= MAX_CALL_BYTES


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="audit", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        boto3.client("s3").put_bucket_versioning(
            Bucket="audit", VersioningConfiguration={"Status": "Enabled"}
        )
        boto3.client("logs").create_log_group(logGroupName="/haylift/local/audit")
        yield


@pytest.mark.usefixtures("aws")
def test_an_object_is_written_once_with_its_checksum() -> None:
    s3 = boto3.client("s3")
    sent: list[dict[str, str]] = []
    s3.meta.events.register("before-call.s3.PutObject", lambda params, **_: sent.append(params["headers"]))
    archive = S3AuditArchive("audit", s3)

    archive.put("audit/1.jsonl", b"first\n")
    archive.put("audit/1.jsonl", b"second\n")

    assert s3.get_object(Bucket="audit", Key="audit/1.jsonl")["Body"].read() == b"first\n"
    digest = base64.b64encode(hashlib.sha256(b"first\n").digest()).decode()
    assert (sent[0]["x-amz-checksum-sha256"], sent[0]["If-None-Match"]) == (digest, "*")
    assert len(s3.list_object_versions(Bucket="audit")["Versions"]) == 1


@pytest.mark.usefixtures("aws")
def test_lines_are_appended_to_a_stream_that_is_made_when_it_is_missing() -> None:
    logs = boto3.client("logs")
    trail = CloudWatchAuditTrail("/haylift/local/audit", logs)

    now_ms = int(time.time() * 1_000)
    trail.append("2026/01/01", [(now_ms + 1, "b"), (now_ms, "a")])
    trail.append("2026/01/01", [(now_ms + 2, "c")])

    events = logs.get_log_events(
        logGroupName="/haylift/local/audit", logStreamName="2026/01/01", startFromHead=True
    )["events"]
    assert [event["message"] for event in events] == ["a", "b", "c"]


@pytest.mark.usefixtures("aws")
def test_lines_that_come_too_late_for_the_log_group_are_no_failure() -> None:
    CloudWatchAuditTrail("/haylift/local/audit", boto3.client("logs")).append("day", [(1, "a")])


def test_stores_that_do_not_answer_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(StoreUnavailable):
        S3AuditArchive("audit", make_client("s3", attempts=1)).put("audit/1.jsonl", b"")
    with pytest.raises(StoreUnavailable):
        CloudWatchAuditTrail("audit", make_client("logs", attempts=1)).append("day", [(1, "a")])
