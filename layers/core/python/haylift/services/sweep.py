"""Takes away what dead workers left, and sends again what nobody works on."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.domain.drift import LEFT_BEHIND, orphan_revisions
from haylift.domain.errors import IndexUnavailable
from haylift.domain.events import IngestionOrder
from haylift.domain.quarantine import QUARANTINE_PREFIX, REASON_SUFFIX, QuarantineKeys
from haylift.domain.texts import TEXTS_PREFIX
from haylift.ports.ingestion import Lanes
from haylift.resilience import Deadline
from haylift.services.drift_repair import DocumentMender, MaintenanceParts

logger = logging.getLogger(__name__)

STEP_S = 10.0
MOST_DOUBLINGS = 6
"""An order that does not help is sent at last once in 64 times the first wait."""


class SweepStage(StrEnum):
    """What is swept of a tenant, in this order; `DONE`: the place's tenant needs no more."""

    OPEN = "open"
    CHUNKS = "chunks"
    TEXTS = "texts"
    QUARANTINE = "quarantine"
    DONE = "done"


NEXT = {
    SweepStage.OPEN: SweepStage.CHUNKS,
    SweepStage.CHUNKS: SweepStage.TEXTS,
    SweepStage.TEXTS: SweepStage.QUARANTINE,
    SweepStage.QUARANTINE: SweepStage.DONE,
}


@dataclass(frozen=True, kw_only=True)
class SweepPlace:
    """Where a sweep stands; `swept` counts by what was taken away or sent."""

    tenant: str = ""
    stage: SweepStage = SweepStage.DONE
    after: str = ""
    swept: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SweepService:
    """Sweeps in pages; each page is safe to repeat, and safe beside workers and other sweepers.

    Args:
        lanes: where orders are sent again.
        stuck_after_s: an open document without a sign of life for so long is sent again, later half as
            often each time; longer than a message can be hidden by a worker that died with it.
    """

    parts: MaintenanceParts
    lanes: Lanes
    stuck_after_s: float

    def run(self, place: SweepPlace, deadline: Deadline) -> tuple[SweepPlace, bool]:
        """Goes on until the sweep or the time is over; gives the place, and whether it is at its end.

        Raises:
            StoreUnavailable: go on later from the place before.
        """
        while (here := self.next_place(place)) is not None:
            if deadline.remaining_s < STEP_S:
                return here, False
            place = self.step(here)
        return place, True

    def step(self, place: SweepPlace) -> SweepPlace:
        """One page of one stage; a tenant whose index cannot be read keeps its chunks."""
        stages: dict[SweepStage, Callable[[SweepPlace], tuple[str | None, Mapping[str, int]]]] = {
            SweepStage.OPEN: self._open,
            SweepStage.CHUNKS: self._chunks,
            SweepStage.TEXTS: self._texts,
            SweepStage.QUARANTINE: self._quarantine,
        }
        try:
            after, swept = stages[place.stage](place)
        except IndexUnavailable as fault:
            logger.warning("index is left out", extra={"code": fault.code, "tenant": place.tenant})
            after, swept = None, {}
        counted = replace(place, swept=dict(Counter(place.swept) + Counter(swept)))
        if after is not None:
            return replace(counted, after=after)
        return replace(counted, stage=NEXT[place.stage], after="")

    def next_place(self, place: SweepPlace) -> SweepPlace | None:
        """The place of the step that comes next; None: there is no more."""
        if place.stage is not SweepStage.DONE:
            return place
        names = self.parts.tenants(TEXTS_PREFIX, QUARANTINE_PREFIX)
        left = [name for name in names if name > place.tenant]
        return replace(place, tenant=left[0], stage=SweepStage.OPEN, after="") if left else None

    def _open(self, place: SweepPlace) -> tuple[str | None, Mapping[str, int]]:
        page = self.parts.rows.open_rows(place.tenant, cursor=place.after or None, limit=self.parts.page)
        sent = 0
        for row in page.rows:
            if self._is_stuck(row):
                # A second order is harmless; an order that is only noted would be none.
                self.lanes.send(row.lane, _order(row))
                self.parts.rows.note_resend(row)
                logger.info("order is sent again", extra={"document_id": row.document_id})
                sent += 1
        return page.cursor, {"resent": sent}

    def _is_stuck(self, row: DocumentRecord) -> bool:
        now = self.parts.clock.now()
        last = max(row.updated_at, row.resent_at)
        wait_s = self.stuck_after_s * 2 ** min(row.resends, MOST_DOUBLINGS)
        return row.lease_until < now and now - last >= wait_s

    def _chunks(self, place: SweepPlace) -> tuple[str | None, Mapping[str, int]]:
        tenant, page = place.tenant, self.parts.page
        generation = self.parts.totals.epoch(tenant).generation
        stored = self.parts.index.stored_documents(tenant, generation, after=place.after, limit=page)
        rows = self.parts.rows.rows_of(tenant, [document.document_id for document in stored])
        mender, swept = DocumentMender(parts=self.parts), Counter[str]()
        for document in stored:
            row = rows.get(document.document_id)
            if row is not None and not orphan_revisions(row, document.revisions):
                continue
            finding = mender.look(tenant, generation, document.document_id, document.key)
            kinds = LEFT_BEHIND.intersection(finding.kinds if finding else ())
            if finding is not None and kinds:
                mender.mend(replace(finding, kinds=tuple(kinds)))
                swept.update(kind.value for kind in kinds)
        return (stored[-1].document_id if len(stored) == page else None), swept

    def _texts(self, place: SweepPlace) -> tuple[str | None, Mapping[str, int]]:
        """Stored texts of revisions that are neither live nor being read."""
        page = self.parts.bucket.current_objects(
            f"{TEXTS_PREFIX}{place.tenant}/", cursor=place.after or None, limit=self.parts.page
        )
        owners = {each.key: owner for each in page.objects if (owner := _text_owner(each.key)) is not None}
        rows = self.parts.rows.rows_of(place.tenant, {document_id for document_id, _ in owners.values()})
        swept = 0
        for key, (document_id, revision) in owners.items():
            row = rows.get(document_id)
            # A text above its row is of a row that was lost: the page is older than the row that was read.
            if row is None or revision not in _kept_texts(row):
                self.parts.bucket.delete(key)
                swept += 1
        return page.cursor, {"texts": swept}

    def _quarantine(self, place: SweepPlace) -> tuple[str | None, Mapping[str, int]]:
        """Copies and reasons of files that are not rejected any more."""
        page = self.parts.bucket.current_objects(
            f"{QUARANTINE_PREFIX}{place.tenant}/", cursor=place.after or None, limit=self.parts.page
        )
        swept = 0
        for each in page.objects:
            is_fresh = self.parts.clock.now() - each.changed_at < self.parts.settle_s
            if not is_fresh and not self._is_set_aside(place.tenant, each.key):
                self.parts.bucket.delete(each.key)
                swept += 1
        return page.cursor, {"quarantine": swept}

    def _is_set_aside(self, tenant: str, key: str) -> bool:
        """Whether a document that is rejected, or worked on, has its copy or its reason there."""
        path = key.removesuffix(REASON_SUFFIX).removeprefix(f"{QUARANTINE_PREFIX}{tenant}/")
        ids = {DocumentKey(tenant, path).document_id, path[-26:]}
        ids.add(DocumentKey(tenant, path.removesuffix(".document")).document_id)
        for row in self.parts.rows.rows_of(tenant, ids).values():
            places = QuarantineKeys.of(DocumentKey.parse(row.key))
            is_needed = row.state is DocumentState.REJECTED or not row.state.is_final
            if is_needed and key in {places.copy, places.reason}:
                return True
        return False


def _order(row: DocumentRecord) -> IngestionOrder:
    return IngestionOrder(tenant=row.tenant, document_id=row.document_id, key=row.key, revision=row.revision)


def _text_owner(key: str) -> tuple[str, int] | None:
    """Document id and revision of `text/<tenant>/<document_id>/<revision>/...`; None for other keys.

    >>> _text_owner("text/acme/d1/7/0f/00000.jsonl.gz"), _text_owner("text/acme/notes")
    (('d1', 7), None)
    """
    parts = key.split("/")
    if len(parts) < 4 or not (parts[3].isascii() and parts[3].isdigit()):
        return None
    return parts[2], int(parts[3])


def _kept_texts(row: DocumentRecord) -> set[int]:
    return {row.live_revision} if row.state.is_final else {row.live_revision, row.revision}
