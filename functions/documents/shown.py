"""Documents as the API shows them."""

from dataclasses import asdict
from datetime import UTC, datetime

from haylift.domain.documents import DocumentRecord
from haylift.domain.history import changes_of
from haylift.domain.receipts import ReceiptState


def shown(record: DocumentRecord) -> dict[str, object]:
    """A document of a list."""
    return {
        "document_id": record.document_id,
        "key": record.key,
        "title": record.title,
        "state": record.state.value,
        "reason": record.reason,
        "stage": record.stage,
        "percent": record.percent,
        "revision": record.revision,
        "size_bytes": record.size_bytes,
        "chunk_count": record.chunk_count,
        "partial": record.partial,
        "partial_detail": record.partial_detail,
        "media_type": record.media_type,
        "changed_at": moment(record.changed_at),
        "received_at": moment(record.received_at),
        "updated_at": moment(record.updated_at),
        "searchable_at": moment(record.searchable_at),
        "expires_at": moment(record.expires_at),
    }


def shown_with_history(record: DocumentRecord) -> dict[str, object]:
    """A document by itself, with its changes of state, the oldest first."""
    history = [
        {
            "state": change.state.value,
            "revision": change.revision,
            "at": moment(change.at),
            "reason": change.reason,
        }
        for change in changes_of(record)
    ]
    return shown(record) | {"history": history}


def shown_receipt(state: ReceiptState) -> dict[str, object]:
    """A receipt as it stands."""
    receipt, checks = state.receipt, state.checks
    return {
        "receipt_id": receipt.receipt_id,
        "document_id": receipt.document_id,
        "key": receipt.key,
        "purge": receipt.purge,
        "requested_at": moment(receipt.requested_at),
        "verified": state.is_verified,
        "verified_at": moment(receipt.verified_at),
        "checks": asdict(checks),
        "uploaded_again": state.uploaded_again,
    }


def moment(epoch_s: float) -> str | None:
    """ISO 8601 in UTC with milliseconds; None for what has not happened."""
    if not epoch_s:
        return None
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
