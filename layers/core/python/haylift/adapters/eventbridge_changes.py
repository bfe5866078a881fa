"""Changes of documents as events of Amazon EventBridge."""

import json
from datetime import UTC, datetime
from typing import Any

from haylift.adapters.aws import translated
from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import StoreUnavailable

SOURCE = "haylift.documents"
DETAIL_TYPE = "Document State Changed"


class EventBridgeChanges:
    """Implements `ChangeEvents`.

    Args:
        event_bus: its name or ARN.
        client: an `events` client.
    """

    def __init__(self, event_bus: str, client: Any) -> None:
        self._event_bus = event_bus
        self._client = client

    def publish(self, record: DocumentRecord) -> None:
        """Puts one event; at least once."""
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail_of(record)),
            "EventBusName": self._event_bus,
        }
        with translated("event bus"):
            answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise StoreUnavailable("The event bus did not take an event.")


def detail_of(record: DocumentRecord) -> dict[str, object]:
    """The event's `detail`, as docs/uploading.md describes it."""
    return {
        "tenant": record.tenant,
        "key": record.key,
        "document_id": record.document_id,
        "version_id": record.version_id,
        "revision": record.revision,
        "state": record.state.value,
        "reason": record.reason,
        "changed_at": _moment(record.updated_at),
        "received_at": _moment(record.received_at),
        "searchable_at": _moment(record.searchable_at),
    }


def _moment(epoch_s: float) -> str | None:
    if not epoch_s:
        return None
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
