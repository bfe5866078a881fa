"""What S3 says, and what the lanes carry."""

from dataclasses import dataclass
from enum import StrEnum

from haylift.domain.documents import DocumentKey


class ObjectEventKind(StrEnum):
    """What an event claims about an object.

    `CHECK` claims nothing: permanently deleted versions, removed delete markers and a missing
    version id say only that the key must be looked at (a lifecycle rule that expires an *old*
    version sends the same event as the loss of the current one).
    `RECLAIM` and `REBUILD` are no events of S3 but repairs of our own: a new revision of whatever is
    there now, also of the version that is known; `REBUILD` does not trust what is live either, so that
    the same bytes are read anew.
    """

    CREATED = "created"
    DELETE_MARKER = "delete_marker"
    CHECK = "check"
    RECLAIM = "reclaim"
    REBUILD = "rebuild"


@dataclass(frozen=True, kw_only=True)
class ObjectEvent:
    """One S3 event, at least once and in any order; `sequencer` is padded (`padded_sequencer`).

    `occurred_at`: when the object changed, epoch seconds by S3's clock, in whole seconds; 0: not said.
    `above_revision`: the revision that it begins is higher than this one too.
    `request_id`: S3's request that created the object; empty: not said, or the event is of another kind.
    """

    kind: ObjectEventKind
    key: DocumentKey
    sequencer: str
    version_id: str = ""
    occurred_at: float = 0.0
    request_id: str = ""
    above_revision: int = 0


@dataclass(frozen=True, kw_only=True)
class IngestionOrder:
    """A message of a lane queue: bring the index to this revision of the document."""

    tenant: str
    document_id: str
    key: str
    revision: int
