"""Documents, their keys, revisions and states."""

import base64
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from haylift.domain.errors import InvalidInput
from haylift.domain.identity import is_tenant_name

DOCUMENTS_PREFIX = "documents/"
BULK_PREFIX = "bulk/"
SEQUENCER_WIDTH = 64
"""S3's sequencers are shorter; padded to one width, text order is event order (within one key)."""

MAX_KEY_BYTES = 1024
"""S3's own limit for an object key in UTF-8."""


class DocumentState(StrEnum):
    """Where a document's newest revision stands."""

    RECEIVED = "RECEIVED"
    INDEXING = "INDEXING"
    SEARCHABLE = "SEARCHABLE"
    REJECTED = "REJECTED"
    DELETED = "DELETED"

    @property
    def is_final(self) -> bool:
        """True when no work is left for the revision."""
        return self in {DocumentState.SEARCHABLE, DocumentState.REJECTED, DocumentState.DELETED}


class Lane(StrEnum):
    """The two queues of ingestion."""

    INTERACTIVE = "interactive"
    BACKFILL = "backfill"


@dataclass(frozen=True)
class DocumentKey:
    """The place of a document: `documents/<tenant>/<path>`."""

    tenant: str
    path: str

    @classmethod
    def parse(cls, object_key: str) -> "DocumentKey":
        """Reads an object key.

        Raises:
            InvalidInput: `invalid_key` when it is not `documents/<tenant>/<path>`.

        >>> DocumentKey.parse("documents/acme/handbook/start.md")
        DocumentKey(tenant='acme', path='handbook/start.md')
        """
        tenant, _, path = object_key.removeprefix(DOCUMENTS_PREFIX).partition("/")
        if (
            not object_key.startswith(DOCUMENTS_PREFIX)
            or not path
            or path.endswith("/")
            or not is_tenant_name(tenant)
        ):
            raise InvalidInput(
                "A document's key is documents/<tenant>/<path>.", code="invalid_key", where="key"
            )
        if len(object_key.encode()) > MAX_KEY_BYTES:
            raise InvalidInput(f"A key has at most {MAX_KEY_BYTES} bytes.", code="invalid_key", where="key")
        return cls(tenant, path)

    @property
    def object_key(self) -> str:
        """The key in the upload bucket."""
        return f"{DOCUMENTS_PREFIX}{self.tenant}/{self.path}"

    @property
    def is_bulk(self) -> bool:
        """True under `documents/<tenant>/bulk/`, which goes to the backfill lane."""
        return self.path.startswith(BULK_PREFIX)

    @property
    def document_id(self) -> str:
        """26 characters, a hash of tenant and key: the same for every revision."""
        return _digest(self.tenant, self.object_key)

    def chunk_id(self, revision: int, position: int, part: str = "") -> str:
        """One chunk's id, hashed from tenant, key, revision and position: a retry writes the same rows.

        `part` tells apart what a piece at that position was torn into; empty for the whole piece.
        """
        place = (self.tenant, self.object_key, str(revision), str(position))
        return _digest(*place, part) if part else _digest(*place)


def _digest(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest).decode()[:26].lower()


def padded_sequencer(sequencer: str) -> str:
    """Pads S3's sequencer on the right so that text order is event order within one key.

    Source: Amazon S3 user guide, "Event message structure": compare as text after padding the
    shorter with zeros on the right.

    Raises:
        InvalidInput: `invalid_sequencer` when it is empty, not hexadecimal, or wider than 64.

    >>> padded_sequencer("0055AED6DCD90281E5") < padded_sequencer("0055AED6DCD90281E6")
    True
    """
    if not sequencer or len(sequencer) > SEQUENCER_WIDTH or set(sequencer.upper()) - set("0123456789ABCDEF"):
        raise InvalidInput("An event's sequencer is 1-64 hexadecimal digits.", code="invalid_sequencer")
    return sequencer.upper().ljust(SEQUENCER_WIDTH, "0")


def next_sequencer(padded: str) -> str:
    """The sequencer of a claim of our own, after the event `padded` and before S3's next one.

    S3's sequencers are far shorter than the padded width, so that there is room between any two of them.

    >>> padded_sequencer("1A") < next_sequencer(padded_sequencer("1A")) < padded_sequencer("1A01")
    True
    """
    return f"{int(padded or '0', 16) + 1:0{SEQUENCER_WIDTH}X}"


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """One version of an object as a HEAD request shows it; `version_id` is `null` in unversioned buckets."""

    version_id: str
    etag: str
    size_bytes: int
    content_type: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DocumentRecord:
    """A ledger row: what is known of one document. Times are epoch seconds (UTC).

    `revision` is the newest claimed one, `live_revision` the one that readers see (0: none), with
    `version_id` and `live_version_id` as the object versions behind them.
    `changed_at` is S3's time of the newest claimed event, `received_at` when it was claimed.
    `draft` names the bytes, and the way to read them, that the chunks of an unfinished revision are made of.
    `access_groups` are those of the last version that was read, `claimed_groups` those of the newest
    claimed one: who sees the document must be in both; an empty set is everybody in the tenant.
    `expires_at` is when the uploader of the newest claimed version wants it deleted, `live_expires_at` the
    one of the live version, 0: never; readers do not see it once the earlier of both is over.
    `event_version_id` is the version or delete marker that the newest claimed event named;
    `erased_version_id`, `erased_revision` and `erased_at` are of the last deletion that was carried out,
    after the index was seen to hold nothing of the document.
    `history` has a line for each change of state (`domain/history.py`), the newest last.
    `partial_detail` counts what the text lacks of the file, such as `2 pages`; empty: nothing.
    `quarantine_key` is where a rejected version is set aside, written before the copy; empty: nowhere.
    `request_id` is S3's request that put the newest claimed version, as its event named it.
    `chunks_digest` is that of the live revision's chunks as they were when it went live; empty: not known.
    `live_model` made the vectors of these chunks; empty: not known, or nothing of them is to be trusted.
    `handovers` counts the attempts that ran out of time after progress and left the rest to a next one.
    `resends` counts how often its order was sent once more, the last time at `resent_at`.
    """

    tenant: str
    document_id: str
    key: str
    sequencer: str
    revision: int
    state: DocumentState
    live_revision: int = 0
    live_version_id: str = ""
    version_id: str = ""
    size_bytes: int = 0
    reason: str = ""
    stage: str = ""
    percent: int = 0
    draft: str = ""
    title: str = ""
    media_type: str = ""
    content_digest: str = ""
    chunk_count: int = 0
    attempts: int = 0
    lane: Lane = Lane.INTERACTIVE
    lease_owner: str = ""
    lease_until: float = 0.0
    changed_at: float = 0.0
    received_at: float = 0.0
    updated_at: float = 0.0
    searchable_at: float = 0.0
    claimed_groups: frozenset[str] = frozenset()
    access_groups: frozenset[str] = frozenset()
    expires_at: int = 0
    live_expires_at: int = 0
    event_version_id: str = ""
    erased_version_id: str = ""
    erased_revision: int = 0
    erased_at: float = 0.0
    history: tuple[str, ...] = ()
    partial_detail: str = ""
    quarantine_key: str = ""
    request_id: str = ""
    chunks_digest: str = ""
    live_model: str = ""
    handovers: int = 0
    resends: int = 0
    resent_at: float = 0.0

    @property
    def partial(self) -> bool:
        """True when parts of the file could not be read and what is searchable lacks them."""
        return bool(self.partial_detail)


def earliest_expiry(*moments: int) -> int:
    """The first of the moments, in epoch seconds, of which 0 is never.

    >>> earliest_expiry(0, 20, 10), earliest_expiry()
    (10, 0)
    """
    return min((moment for moment in moments if moment), default=0)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What a tenant's caches are keyed by: the index generation and the content version."""

    generation: str
    content_version: int


class LiveRevision(int):
    """The revision that readers see; made live at `since`, epoch seconds (0: not known, long ago).

    `claimed_groups` are those of the newest claimed version, which may still wait: whoever is in none of
    them must not see the live one either; empty: everybody. `expires_at` is when nobody may see it any
    more, 0: never.
    """

    since: float
    claimed_groups: frozenset[str]
    expires_at: int

    def __new__(
        cls,
        revision: int,
        since: float = 0.0,
        claimed_groups: frozenset[str] = frozenset(),
        expires_at: int = 0,
    ) -> "LiveRevision":
        """A plain number that knows its age and its readers."""
        made = super().__new__(cls, revision)
        made.since = since
        made.claimed_groups = claimed_groups
        made.expires_at = expires_at
        return made

    def is_for(self, groups: frozenset[str]) -> bool:
        """Whether somebody in these groups may see it, as far as the newest claim goes."""
        return not self.claimed_groups or bool(self.claimed_groups & groups)
