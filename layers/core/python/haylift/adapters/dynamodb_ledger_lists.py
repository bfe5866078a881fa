"""Lists of the ledger: the query of a filter, and cursors between pages."""

import base64
import binascii
import json
import math
import re
from typing import Any

from haylift.adapters.dynamodb_ledger_rows import item_key
from haylift.adapters.dynamodb_rows import Item, Value, attribute
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import InvalidInput
from haylift.domain.listing import DocumentFilter

BY_UPDATED = "by_updated"
_DOCUMENT_ID = re.compile(r"[a-z2-7]{26}")

type Place = tuple[float, str]
"""Where a list goes on: the `updated_at` and the id of its last row."""


def list_query(tenant: str, wanted: DocumentFilter) -> dict[str, Any]:
    """The request for a tenant's rows that `wanted` matches, newest change first."""
    conditions = [f"#state {'=' if wanted.state else '<>'} :state"]
    values: dict[str, Value] = {"tenant": tenant, "state": wanted.state or DocumentState.DELETED}
    for name, text in (("reason", wanted.reason), ("media_type", wanted.media_type)):
        if text:
            conditions.append(f"#{name} = :{name}")
            values[name] = text
    if wanted.path_prefix:
        conditions.append("begins_with(#key, :key)")
        values["key"] = wanted.key_prefix(tenant)
    rows = "#tenant = :tenant"
    if wanted.changed_since:
        rows += " AND #updated_at >= :updated_at"
        values["updated_at"] = wanted.changed_since
    return {
        "IndexName": BY_UPDATED,
        "KeyConditionExpression": rows,
        "FilterExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": {f":{name}": attribute(value) for name, value in values.items()},
        "ScanIndexForward": False,
    }


def place_of(item: Item) -> Place:
    """The place after a row or a key of the index."""
    return float(item["updated_at"]["N"]), item["document_id"]["S"]


def encode_cursor(last: DocumentRecord | Place) -> str:
    """The place after `last` in a list, newest change first."""
    place = json.dumps(last if isinstance(last, tuple) else [last.updated_at, last.document_id])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, tenant: str) -> Item:
    """The key that a list goes on after; the tenant is the caller's, whatever the cursor says.

    Raises:
        InvalidInput: `invalid_cursor`.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place: Any = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        updated_at, document_id = place
        if not math.isfinite(updated_at) or not _DOCUMENT_ID.fullmatch(document_id):
            raise ValueError("not a place in a list")
        return item_key(tenant, document_id) | {"updated_at": attribute(float(updated_at))}
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise InvalidInput(
            "This cursor is not from an earlier page.", code="invalid_cursor", where="cursor"
        ) from None
