"""Documents whose time is over are deleted, the way a user deletes them."""

import logging
from dataclasses import dataclass, replace

from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.resilience import Deadline
from haylift.services.drift_repair import MaintenanceParts

logger = logging.getLogger(__name__)

STEP_S = 10.0


@dataclass(frozen=True, kw_only=True)
class RetentionPlace:
    """Where a run stands: tenants up to `tenant` are looked at, in it documents up to `after`."""

    tenant: str = ""
    after: str = ""
    is_done: bool = True
    expired: int = 0


@dataclass(frozen=True, kw_only=True)
class RetentionService:
    """Puts a delete marker on each document that is past its `expires_at`; the marker's event does the rest.

    Readers do not see such a document from that second on, whenever this runs.
    """

    parts: MaintenanceParts

    def run(self, place: RetentionPlace, deadline: Deadline) -> tuple[RetentionPlace, bool]:
        """Goes on until the run or the time is over; gives the place, and whether it is at its end.

        Raises:
            StoreUnavailable: go on later from the place before.
        """
        while (here := self.next_place(place)) is not None:
            if deadline.remaining_s < STEP_S:
                return here, False
            place = self.step(here)
        return place, True

    def step(self, place: RetentionPlace) -> RetentionPlace:
        """One page of rows; safe to repeat."""
        page = self.parts.page
        rows = self.parts.rows.rows(place.tenant, after=place.after, limit=page)
        expired = sum(self._expire(row) for row in rows)
        counted = replace(place, expired=place.expired + expired)
        if len(rows) < page:
            return replace(counted, is_done=True, after="")
        return replace(counted, after=rows[-1].document_id)

    def next_place(self, place: RetentionPlace) -> RetentionPlace | None:
        """The place of the step that comes next; None: there is no more."""
        if not place.is_done:
            return place
        names = [name for name in self.parts.tenants() if name > place.tenant]
        return replace(place, tenant=names[0], is_done=False) if names else None

    def _expire(self, row: DocumentRecord) -> bool:
        """True when the document's version was due, and is deleted now."""
        is_due = 0 < row.expires_at <= self.parts.clock.now()
        if not is_due or not row.state.is_final or row.state is DocumentState.DELETED:
            return False
        found = self.parts.bucket.newest(row.key)
        # The date is this version's: a newer one has its own, which is read when it is indexed.
        if found is None or found.version_id != row.version_id:
            return False
        self.parts.bucket.delete(row.key)
        logger.info("document has expired", extra={"document_id": row.document_id})
        return True
