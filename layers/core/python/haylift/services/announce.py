"""Tells uploaders each change of a document's state: by tags on the object's version, and by an event.

The ledger's stream calls this at least once for each write, and again after a death at any point, so that a
change is told late rather than never. Tags show where things stand: whoever writes them looks at the ledger
afterwards and writes again what has changed since, so that the last writer leaves the newest state.
"""

from collections.abc import Callable
from dataclasses import dataclass

from haylift.domain.announcements import is_change, newest_of_version, tagged
from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import StoreUnavailable
from haylift.ports.announcements import ChangeEvents, LedgerRows, ObjectTags
from haylift.telemetry import Metric, Telemetry

MAX_ROUNDS = 5
"""A state that changes more often while one tag is written will be told by those changes."""


@dataclass(frozen=True, kw_only=True)
class AnnounceService:
    """Announces what the ledger's stream brings; `now` is the clock, epoch seconds."""

    ledger: LedgerRows
    tags: ObjectTags
    changes: ChangeEvents
    telemetry: Telemetry
    now: Callable[[], float]

    def announce(self, before: DocumentRecord | None, after: DocumentRecord) -> None:
        """Tells the change from `before` to `after`, if it is one; safe to repeat, in any order.

        Raises:
            StoreUnavailable: announce it again.
        """
        if not is_change(before, after):
            return
        self.changes.publish(after)
        if after.version_id:
            self._tag(after)
        self.telemetry.record(Metric.ANNOUNCED_AFTER, max(0.0, self.now() - after.updated_at))

    def _tag(self, heard: DocumentRecord) -> None:
        written = None
        for _ in range(MAX_ROUNDS):
            change = newest_of_version(heard, self.ledger.get(heard.tenant, heard.document_id))
            if (change.state, change.revision) == written:
                return
            there = self.tags.tags(heard.key, heard.version_id)
            wanted = None if there is None else tagged(there, change)
            if wanted is None:
                return
            if wanted != there and not self.tags.put_tags(heard.key, heard.version_id, wanted):
                return
            written = change.state, change.revision
        raise StoreUnavailable("The document changes faster than its tags can be written.")
