"""What is delivered is kept twice: once for good, once for people; again and again it is the same."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from haylift.adapters.aws import make_client
from haylift.adapters.cloudwatch_audit import MAX_CALL_BYTES, CloudWatchAuditTrail, calls
from haylift.adapters.s3_audit import S3AuditArchive
from haylift.audit import AuditRecord, Outcome
from haylift.domain.errors import StoreUnavailable
from haylift.services.audit import AuditEntry, AuditKeeper
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from functions.audit.app import consume
from tests.fakes.audit import MemoryArchive, MemoryTrail, delivery

GOOD = {
    "level": "INFO",
    "message": "audit",
    "audit": {
        "actor": "ada",
        "tenant": "acme",
        "action": "POST /v1/search",
        "resource": "",
        "outcome": "allowed",
        "request_id": "request-1",
        "source_address": "203.0.113.7",
        "code": "",
    },
}
DENIED = {
    "requestId": "request-2",
    "requestTime": "01/Jan/2026:00:00:00 +0000",
    "httpMethod": "DELETE",
    "resourcePath": "/v1/documents/{document_id}",
    "status": "403",
    "ip": "203.0.113.7",
    "authorizerLatency": "12",
    "principal": "rea@acme",
    "tenant": "acme",
    "errorType": "ACCESS_DENIED",
}


@pytest.fixture
def keeper() -> AuditKeeper:
    return AuditKeeper(archive=MemoryArchive(), trail=MemoryTrail())


def archived(keeper: AuditKeeper) -> dict[str, bytes]:
    assert isinstance(keeper.archive, MemoryArchive)
    return keeper.archive.content_by_key


def shown(keeper: AuditKeeper) -> list[dict[str, Any]]:
    assert isinstance(keeper.trail, MemoryTrail)
    return [line for _, _, line in keeper.trail.lines]


def test_a_record_is_archived_and_shown(keeper: AuditKeeper) -> None:
    consume(delivery([GOOD]), keeper)

    ((key, content),) = archived(keeper).items()
    assert key == f"audit/2026/01/01/{hashlib.sha256(b'event-0').hexdigest()}.jsonl"
    assert json.loads(content) == GOOD["audit"] | {
        "at": "2026-01-01T00:00:00.000Z",
        "event_id": "event-0",
        "source": "/aws/lambda/haylift-local-search",
    }
    assert shown(keeper) == [
        json.loads(content) | {"object": key, "object_sha256": hashlib.sha256(content).hexdigest()}
    ]


def test_what_the_gateway_refused_is_a_record(keeper: AuditKeeper) -> None:
    consume(delivery([DENIED]), keeper)

    (line,) = shown(keeper)
    assert {name: line[name] for name in GOOD["audit"]} == {
        "actor": "rea@acme",
        "tenant": "acme",
        "action": "DELETE /v1/documents/{document_id}",
        "resource": "",
        "outcome": "denied",
        "request_id": "request-2",
        "source_address": "203.0.113.7",
        "code": "access_denied",
    }


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        ("THROTTLED", "429", "denied"),
        ("QUOTA_EXCEEDED", "429", "denied"),
        ("REQUEST_TOO_LARGE", "413", "refused"),
        ("MISSING_AUTHENTICATION_TOKEN", "404", "refused"),
        ("AUTHORIZER_FAILURE", "500", "failed"),
        ("INTEGRATION_TIMEOUT", "504", "failed"),
    ],
)
def test_each_refusal_of_the_gateway_has_its_outcome(
    keeper: AuditKeeper, error: str, status: str, outcome: str
) -> None:
    nobody = {"errorType": error, "status": status, "principal": "-", "tenant": "-", "resourcePath": "-"}

    consume(delivery([DENIED | nobody]), keeper)

    (line,) = shown(keeper)
    assert (line["actor"], line["tenant"], line["action"]) == ("anonymous", "", "DELETE unmatched")
    assert (line["outcome"], line["code"]) == (outcome, error.lower())


def test_a_401_is_recorded_once(keeper: AuditKeeper) -> None:
    """The authorizer writes its own; without a header the gateway does not even ask it."""
    refused = DENIED | {"errorType": "UNAUTHORIZED", "status": "401", "principal": "-"}

    consume(delivery([refused, refused | {"authorizerLatency": "-"}]), keeper)

    assert [(line["event_id"], line["code"]) for line in shown(keeper)] == [("event-1", "unauthorized")]


BAD = [
    "no json",
    "",
    "[]",
    '"text"',
    "null",
    "{",
    {"audit": None},
    {"audit": "text"},
    {"audit": {}},
    {"audit": {"action": "x"}},
    {"audit": {**GOOD["audit"], "outcome": "perhaps"}},
    {"audit": {**GOOD["audit"], "query": "a secret question"}},
    {"audit": {**GOOD["audit"], "actor": 5}},
    {"errorType": "-", "status": "200"},
    {"errorType": "THROTTLED"},
    {"errorType": "THROTTLED", "status": "²"},
    {"errorType": ["THROTTLED"], "status": "429"},
    {"message": "just a line"},
]


def keeps_the_good_lines(keeper: AuditKeeper, bad: object) -> None:
    """The check: a bad line between two good ones costs none of them."""
    consume(delivery([GOOD, bad, DENIED]), keeper)

    assert [line["event_id"] for line in shown(keeper)] == ["event-0", "event-2"]


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_a_bad_line_costs_no_good_one(keeper: AuditKeeper, bad: object) -> None:
    keeps_the_good_lines(keeper, bad)


def test_a_delivery_of_bad_lines_only_is_done(keeper: AuditKeeper) -> None:
    consume(delivery(BAD), keeper)

    assert (archived(keeper), shown(keeper)) == ({}, [])


def test_a_control_message_is_no_delivery(keeper: AuditKeeper) -> None:
    consume(delivery(["CWL CONTROL MESSAGE: Checking health"], kind="CONTROL_MESSAGE"), keeper)

    assert (archived(keeper), shown(keeper)) == ({}, [])


def is_kept_once(keeper: AuditKeeper) -> None:
    """The check: the same delivery twice makes one object, of the same bytes."""
    consume(delivery([GOOD, DENIED]), keeper)
    first = dict(archived(keeper))

    consume(delivery([GOOD, DENIED]), keeper)

    assert archived(keeper) == first
    assert len(first) == 1


def test_a_repeated_delivery_makes_no_second_object(keeper: AuditKeeper) -> None:
    is_kept_once(keeper)


class _NamesByCount(MemoryArchive):
    """Names objects by when they come, as a random name would."""

    def put(self, key: str, content: bytes) -> None:
        super().put(f"{key}-{len(self.content_by_key)}", content)


def test_objects_named_by_delivery_fail_the_same_check() -> None:
    with pytest.raises(AssertionError):
        is_kept_once(AuditKeeper(archive=_NamesByCount(), trail=MemoryTrail()))


@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=5))
def test_neither_order_nor_doubles_change_an_object(order: list[int], doubles: list[int]) -> None:
    entries = [_entry(number) for number in range(5)]
    plain = AuditKeeper(archive=MemoryArchive(), trail=MemoryTrail())
    mixed = AuditKeeper(archive=MemoryArchive(), trail=MemoryTrail())

    plain.keep(entries)
    mixed.keep([entries[number] for number in [*order, *doubles]])

    assert archived(mixed) == archived(plain)


def _entry(number: int, at_ms: int = 1_767_225_600_000) -> AuditEntry:
    made = AuditRecord(actor=f"a{number}", tenant="", action="x.y", resource="", outcome=Outcome.ALLOWED)
    return AuditEntry(event_id=f"e{number}", at_ms=at_ms, source="test", record=made)


class _NoTrail:
    def append(self, stream: str, events: object) -> None:
        raise StoreUnavailable("The audit log group does not answer.")


def test_a_failure_is_raised_so_that_the_delivery_comes_again() -> None:
    archive, trail = MemoryArchive(), MemoryTrail()

    with pytest.raises(StoreUnavailable):
        consume(delivery([GOOD]), AuditKeeper(archive=archive, trail=_NoTrail()))
    consume(delivery([GOOD]), AuditKeeper(archive=archive, trail=trail))

    assert len(archive.content_by_key) == 1
    assert len(trail.lines) == 1


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
