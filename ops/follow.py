"""Uploads files and follows them in the ledger until each has its final state."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.metadata import groups_metadata

from ops.files import LocalFile

type RecordOf = Callable[[str, str], DocumentRecord | None]
"""The ledger's row of (tenant, document id); `Ledger.get`."""

POLL_S = 0.5
LOOKS_PER_POLL = 50
"""Bounds the reads of one round: a thousand files cost the ledger no more than fifty."""

UNVERSIONED = frozenset({"", "null"})


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """A file in the bucket.

    Args:
        revision_before: the document's revision before the upload, 0 when there was none.
        has_replaced: true when a version that was found by searches lay there before.
    """

    file: LocalFile
    version_id: str
    revision_before: int
    uploaded_at: float
    has_replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where an uploaded file stands. `state` None: not claimed yet; `moved_at`: the row's last change.

    `is_superseded`: somebody changed the document after this upload; state and reason are of that change.
    """

    uploaded: Uploaded
    state: DocumentState | None = None
    reason: str = ""
    seconds: float = 0.0
    moved_at: float = 0.0
    is_superseded: bool = False

    @property
    def is_final(self) -> bool:
        """True when nothing more will happen to this upload."""
        return self.state is not None and self.state.is_final

    @property
    def has_hidden_earlier(self) -> bool:
        """True when the upload was rejected and the version that it replaced is not found any more."""
        return self.state is DocumentState.REJECTED and self.uploaded.has_replaced

    @property
    def state_name(self) -> str:
        """The state, or UPLOADED while only the bucket knows the file."""
        return self.state.value if self.state else "UPLOADED"


class Bucket:
    """The upload bucket as an uploader sees it.

    Args:
        client: an `s3` client.
        name: the bucket.
        record_of: reads the ledger before the upload, so that an older revision is told from this one.
        now: epoch seconds.
    """

    def __init__(self, client: Any, name: str, record_of: RecordOf, now: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._record_of = record_of
        self._now = now

    def upload(self, file: LocalFile, groups: frozenset[str] | None = None) -> Uploaded:
        """Puts the file into the bucket. Raises OSError when it cannot be read.

        `groups` None: those of the file that is replaced, so that an update opens nothing.
        """
        before = self._record_of(file.key.tenant, file.key.document_id)
        kept = before.claimed_groups if before and groups is None else groups
        with file.path.open("rb") as body:
            answer = self._client.put_object(
                Bucket=self._name,
                Key=file.key.object_key,
                Body=body,
                ContentType=file.content_type,
                Metadata=groups_metadata(kept),
            )
        return Uploaded(
            file=file,
            version_id=answer.get("VersionId", ""),
            revision_before=before.revision if before else 0,
            uploaded_at=self._now(),
            has_replaced=bool(before and before.live_revision),
        )

    def is_current(self, uploaded: Uploaded) -> bool:
        """Says whether the object still is the uploaded version."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=uploaded.file.key.object_key)
        except ClientError as fault:
            if fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                return False
            raise
        return bool(answer.get("VersionId", "") == uploaded.version_id)


class Follower:
    """Looks at the ledger until every upload has its final state.

    Args:
        record_of: the ledger.
        is_current: whether the bucket still holds an upload's version.
        now, sleep: the clock, in seconds.
    """

    def __init__(
        self,
        record_of: RecordOf,
        is_current: Callable[[Uploaded], bool],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._record_of = record_of
        self._is_current = is_current
        self._now = now
        self._sleep = sleep

    def follow(
        self, uploads: Sequence[Uploaded], stall_s: float, on_change: Callable[[Outcome], None]
    ) -> list[Outcome]:
        """The outcomes in order; ends when all are final or nothing changed for `stall_s` seconds."""
        outcomes = {uploaded.file.key: Outcome(uploaded=uploaded) for uploaded in uploads}
        waiting = deque(uploads)
        changed_at = self._now()
        while waiting:
            for _ in range(min(LOOKS_PER_POLL, len(waiting))):
                uploaded = waiting.popleft()
                outcome = self.outcome(uploaded)
                before = outcomes[uploaded.file.key]
                if outcome.state != before.state:
                    on_change(outcome)
                if (outcome.state, outcome.moved_at) != (before.state, before.moved_at):
                    changed_at = self._now()
                outcomes[uploaded.file.key] = outcome
                if not outcome.is_final:
                    waiting.append(uploaded)
            if self._now() - changed_at >= stall_s:
                break
            if waiting:
                self._sleep(POLL_S)
        return list(outcomes.values())

    def outcome(self, uploaded: Uploaded) -> Outcome:
        """Where the upload stands now; a row of another upload of the same key is not taken for it."""
        key = uploaded.file.key
        record = self._record_of(key.tenant, key.document_id)
        if record is None or record.revision <= uploaded.revision_before:
            return Outcome(uploaded=uploaded)
        is_own = uploaded.version_id in UNVERSIONED or record.version_id == uploaded.version_id
        if not is_own and (not record.state.is_final or self._is_current(uploaded)):
            return Outcome(uploaded=uploaded)
        return Outcome(
            uploaded=uploaded,
            state=record.state,
            reason=record.reason,
            seconds=max(0.0, self._now() - uploaded.uploaded_at),
            moved_at=record.updated_at,
            is_superseded=not is_own,
        )
