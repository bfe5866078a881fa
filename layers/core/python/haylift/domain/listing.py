"""Which documents of a tenant a list is about."""

from dataclasses import dataclass

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState


@dataclass(frozen=True, kw_only=True)
class DocumentFilter:
    """All of what is given must hold; nothing given: every document that is not deleted.

    Args:
        state: that state only; DELETED documents are listed only when they are asked for.
        reason: of rejected documents, exactly, for example `encrypted`.
        path_prefix: how the path below the tenant's folder begins.
        media_type: exactly, for example `text/markdown`.
        changed_since: epoch seconds (UTC); documents that changed then or later.
    """

    state: DocumentState | None = None
    reason: str = ""
    path_prefix: str = ""
    media_type: str = ""
    changed_since: float = 0.0

    def key_prefix(self, tenant: str) -> str:
        """How the object keys begin.

        >>> DocumentFilter(path_prefix="guides/").key_prefix("acme")
        'documents/acme/guides/'
        """
        return DocumentKey(tenant, self.path_prefix).object_key

    def matches(self, record: DocumentRecord) -> bool:
        """Says whether the document is one of them."""
        is_state = record.state is (self.state or record.state)
        return (
            is_state
            and (self.state is not None or record.state is not DocumentState.DELETED)
            and self.reason in {"", record.reason}
            and self.media_type in {"", record.media_type}
            and record.key.startswith(self.key_prefix(record.tenant))
            and record.updated_at >= self.changed_since
        )
