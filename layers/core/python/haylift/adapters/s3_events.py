"""S3's events as EventBridge brings them.

Source: Amazon S3 user guide, "EventBridge event message structure"; unlike S3's own notifications the
key is not URL-encoded.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from haylift.domain.documents import DocumentKey, padded_sequencer
from haylift.domain.errors import InvalidInput
from haylift.domain.events import ObjectEvent, ObjectEventKind

_REQUEST_ID = re.compile(r"[A-Za-z0-9+/=-]{1,80}")


def read_object_event(body: str, bucket: str) -> ObjectEvent:
    """Reads one event.

    Only a creation and a delete marker claim something. Everything else (a version permanently
    deleted, a removed delete marker, a creation without version id) says no more than that the key
    must be looked at.

    Args:
        body: the message's text.
        bucket: the only bucket whose events count.

    Raises:
        InvalidInput: `invalid_event`, `foreign_bucket`, `invalid_key`, `invalid_sequencer`; a retry
            does not help.
    """
    try:
        event = json.loads(body)
        detail = event["detail"]
        event_bucket, place = detail["bucket"]["name"], detail["object"]
        key, sequencer = place["key"], place["sequencer"]
        if event["source"] != "aws.s3" or not isinstance(key, str) or not isinstance(sequencer, str):
            raise TypeError("not an event of S3")
        key.encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("This is no S3 event of EventBridge.", code="invalid_event") from None
    if event_bucket != bucket:
        raise InvalidInput("The event is of another bucket.", code="foreign_bucket")
    version_id = str(place.get("version-id") or "")
    kind = _kind(event, version_id)
    return ObjectEvent(
        kind=kind,
        key=DocumentKey.parse(key),
        sequencer=padded_sequencer(sequencer),
        version_id=version_id,
        occurred_at=_occurred_at(event.get("time")),
        request_id=_request_id(detail) if kind is ObjectEventKind.CREATED else "",
    )


def _request_id(detail: Mapping[str, Any]) -> str:
    said = str(detail.get("request-id") or "")
    return said if _REQUEST_ID.fullmatch(said) else ""


def _occurred_at(text: object) -> float:
    """Epoch seconds of an event's `time` (ISO 8601 in UTC); 0 where it says none."""
    try:
        moment = datetime.fromisoformat(str(text))
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def _kind(event: Mapping[str, Any], version_id: str) -> ObjectEventKind:
    if event.get("detail-type") == "Object Created" and version_id:
        return ObjectEventKind.CREATED
    is_marker = event["detail"].get("deletion-type") == "Delete Marker Created"
    if event.get("detail-type") == "Object Deleted" and is_marker:
        return ObjectEventKind.DELETE_MARKER
    return ObjectEventKind.CHECK
