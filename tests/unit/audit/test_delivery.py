"""What is delivered is kept twice: once for good, once for people; again and again it is the same."""

import hashlib
import json
from typing import Any

import pytest
from haylift.audit import AuditRecord, Outcome
from haylift.domain.errors import StoreUnavailable
from haylift.services.audit import AuditEntry, AuditKeeper
from hypothesis import given
from hypothesis import strategies as st

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
        "code": "permission_missing",
    }


@pytest.mark.parametrize(
    ("error", "status", "outcome", "code"),
    [
        ("THROTTLED", "429", "denied", "too_many_requests"),
        ("QUOTA_EXCEEDED", "429", "denied", "too_many_requests"),
        ("REQUEST_TOO_LARGE", "413", "refused", "body_too_large"),
        ("MISSING_AUTHENTICATION_TOKEN", "404", "refused", "route_not_found"),
        ("AUTHORIZER_FAILURE", "503", "failed", "store_unavailable"),
        ("INTEGRATION_TIMEOUT", "504", "failed", "timeout"),
        ("BAD_REQUEST_BODY", "400", "refused", "invalid_request"),
        ("API_CONFIGURATION_ERROR", "500", "failed", "internal_error"),
    ],
)
def test_each_refusal_of_the_gateway_has_its_outcome_and_the_callers_code(
    keeper: AuditKeeper, error: str, status: str, outcome: str, code: str
) -> None:
    nobody = {"errorType": error, "status": status, "principal": "-", "tenant": "-", "resourcePath": "-"}

    consume(delivery([DENIED | nobody]), keeper)

    (line,) = shown(keeper)
    assert (line["actor"], line["tenant"], line["action"]) == ("anonymous", "", "DELETE unmatched")
    assert (line["outcome"], line["code"]) == (outcome, code)


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
