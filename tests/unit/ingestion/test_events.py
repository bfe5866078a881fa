"""What S3 says is read as it is, and nothing that comes instead can poison the queue."""

import json
from typing import Any

import pytest
from haylift.adapters.s3_events import read_object_event
from haylift.adapters.sqs_lanes import read_order
from haylift.domain.documents import DocumentKey, padded_sequencer
from haylift.domain.errors import InvalidInput
from haylift.domain.events import IngestionOrder, ObjectEventKind
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingestion.world import KEY, World

CREATED, DELETED = "Object Created", "Object Deleted"


def body(detail_type: str = CREATED, *, key: str = KEY, bucket: str = "uploads", **more: Any) -> str:
    place = {"key": key, "sequencer": "0055AED6DCD90281E5", "version-id": "v1"} | more.pop("place", {})
    detail = {"version": "0", "bucket": {"name": bucket}, "object": place, **more}
    return json.dumps({"source": "aws.s3", "detail-type": detail_type, "detail": detail})


paths = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(lambda path: path[-1] != "/")


@given(paths)
def test_every_key_comes_through_as_it_is(path: str) -> None:
    event = read_object_event(body(key=f"documents/acme/{path}"), "uploads")

    assert event.key == DocumentKey("acme", path)


def test_a_creation_claims_its_version() -> None:
    event = read_object_event(body(key="documents/acme/a b+c%20😀.md"), "uploads")

    assert event.kind is ObjectEventKind.CREATED
    assert (event.key.path, event.version_id) == ("a b+c%20😀.md", "v1")
    assert event.sequencer == padded_sequencer("0055AED6DCD90281E5")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2026-11-23T16:00:00Z", 1_795_449_600.0),
        ("2026-11-23T17:00:00+01:00", 1_795_449_600.0),
        ("2026-11-23T16:00:00", 1_795_449_600.0),
        ("yesterday", 0.0),
        (None, 0.0),
        (5, 0.0),
        ("0001-01-01T00:00:00+14:00", 0.0),
    ],
)
def test_the_time_of_an_event_is_s3s(said: object, seconds: float) -> None:
    event = json.loads(body()) | {"time": said}

    assert read_object_event(json.dumps(event), "uploads").occurred_at == seconds


@pytest.mark.parametrize(
    ("detail_type", "more", "kind"),
    [
        (DELETED, {"deletion-type": "Delete Marker Created"}, ObjectEventKind.DELETE_MARKER),
        (DELETED, {"deletion-type": "Permanently Deleted"}, ObjectEventKind.CHECK),
        (DELETED, {}, ObjectEventKind.CHECK),
        (CREATED, {"place": {"version-id": ""}}, ObjectEventKind.CHECK),
        (CREATED, {"place": {"version-id": None}}, ObjectEventKind.CHECK),
        ("Object Restore Completed", {}, ObjectEventKind.CHECK),
        (CREATED, {"deletion-type": "Delete Marker Created"}, ObjectEventKind.CREATED),
    ],
)
def test_only_creations_and_delete_markers_are_claims(
    detail_type: str, more: dict[str, Any], kind: ObjectEventKind
) -> None:
    assert read_object_event(body(detail_type, **more), "uploads").kind is kind


NO_EVENTS = {
    "": "invalid_event",
    "null": "invalid_event",
    "[]": "invalid_event",
    "[" * 100_000: "invalid_event",
    '{"detail": 5}': "invalid_event",
    '{"Service": "Amazon S3", "Event": "s3:TestEvent"}': "invalid_event",
    body(bucket="others"): "foreign_bucket",
    body(key="documents/acme/"): "invalid_key",
    body(key="documents/acme/folder/"): "invalid_key",
    body(key="quarantine/acme/a.md"): "invalid_key",
    body(key="documents/ACME/a.md"): "invalid_key",
    body(key="documents/*/a.md"): "invalid_key",
    body(key="documents/acme/\ud800"): "invalid_event",
    body(place={"sequencer": "xyz"}): "invalid_sequencer",
    body(place={"sequencer": None}): "invalid_event",
    body(place={"key": 5}): "invalid_event",
    body().replace("aws.s3", "acme.s3"): "invalid_event",
}


@pytest.mark.parametrize("text", NO_EVENTS, ids=[code + str(n) for n, code in enumerate(NO_EVENTS.values())])
def test_what_is_no_event_of_ours_is_acknowledged_and_counted(text: str) -> None:
    world = World()

    with pytest.raises(InvalidInput) as refused:
        read_object_event(text, "uploads")
    answer = world.dispatch(text)

    assert refused.value.code == NO_EVENTS[text]
    assert answer == {"batchItemFailures": []}
    assert [dimensions for _, _, dimensions in world.telemetry.records] == [{"outcome": "ignored"}]
    assert world.ledger.rows == {}


def test_an_order_is_read_back_and_a_made_up_one_is_not() -> None:
    order = IngestionOrder(tenant="acme", document_id=DocumentKey.parse(KEY).document_id, key=KEY, revision=3)
    text = json.dumps({"tenant": "acme", "document_id": order.document_id, "key": KEY, "revision": 3})

    assert read_order(text) == order
    for wrong in (
        "",
        "[]",
        "5",
        "{}",
        text.replace("acme", "other", 1),
        text.replace("3}", "0}"),
        text.replace("3}", "true}"),
        text.replace("3}", '"3"}'),
        text.replace("}", ', "more": 1}'),
    ):
        with pytest.raises(InvalidInput) as refused:
            read_order(wrong)
        assert refused.value.code == "invalid_order"
