"""Patch `s3-events`: EventBridge events of S3 with the fields that Amazon documents.

Source: "EventBridge event message structure" in the S3 user guide. Objects of a versioned bucket carry
`version-id`; a deletion carries no `size`, and an `etag` only for a delete marker (the one of no bytes).
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.s3", ("_fire_s3_event",)),
    Needs("ministack.services.eventbridge", ("_dispatch_event",)),
]
_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"
_version_id: ContextVar[str | None] = ContextVar("version_id", default=None)


def documented_detail(detail: dict[str, Any], version_id: str | None) -> dict[str, Any]:
    """The `detail` of an event as documented, from ministack's and the version it is about."""
    found = dict(detail["object"])
    if version_id:
        found["version-id"] = version_id
    deletion = detail.get("deletion-type")
    if deletion is not None:
        found.pop("size", None)
        found.pop("etag", None)
    if deletion == "Delete Marker Created":
        found["etag"] = _EMPTY_ETAG
    return {**detail, "object": found}


def patch() -> Patch:
    """Carry the version from where S3 knows it to where the event is sent."""
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_s3_event(*args: Any, **named: Any) -> None:
        token = _version_id.set(named.get("version_id"))
        try:
            fire(*args, **named)
        finally:
            _version_id.reset(token)

    def dispatch_event(event: dict[str, Any], view: Any = None) -> Any:
        if event.get("Source") != "aws.s3" or view is not None:
            return dispatch(event, view)
        detail = json.loads(event["Detail"])
        if "object" in detail:
            event = {**event, "Detail": json.dumps(documented_detail(detail, _version_id.get()))}
        return dispatch(event)

    return Patch(
        "s3-events",
        "ministack's S3 events for EventBridge lack version-id and carry an empty etag for deletions",
        [
            Replacement(s3, "_fire_s3_event", fire_s3_event),
            Replacement(eventbridge, "_dispatch_event", dispatch_event),
        ],
    )
