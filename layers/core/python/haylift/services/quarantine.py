"""What is written beside a rejected file."""

from datetime import UTC, datetime

from haylift.domain.documents import DocumentRecord, DocumentState, ObjectVersion
from haylift.domain.errors import DocumentRejected

MAX_DETAIL_CHARS = 300


def reason_of(
    record: DocumentRecord, version: ObjectVersion, verdict: DocumentRejected
) -> dict[str, str | int]:
    """The reason as JSON values; nothing of the document's text.

    `request_id` is S3's request that put the file, as its event named it; empty: not known.
    """
    moment = datetime.fromtimestamp(record.updated_at, tz=UTC)
    return {
        "state": DocumentState.REJECTED.value,
        "reason": verdict.reason,
        "detail": verdict.detail[:MAX_DETAIL_CHARS],
        "tenant": record.tenant,
        "document_id": record.document_id,
        "key": record.key,
        "version_id": version.version_id,
        "size_bytes": version.size_bytes,
        "content_type": version.content_type,
        "revision": record.revision,
        "rejected_at": moment.isoformat(timespec="milliseconds"),
        "request_id": record.request_id,
    }
