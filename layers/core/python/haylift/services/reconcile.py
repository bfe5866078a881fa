"""Bucket, ledger and index compared, tenant by tenant, and brought back to what the bucket holds."""

import logging
from collections.abc import Callable
from dataclasses import replace

from haylift.domain.documents import DOCUMENTS_PREFIX, DocumentRecord, DocumentState
from haylift.domain.drift import (
    DocumentFacts,
    Drift,
    DriftKind,
    StoredDocument,
    document_drift,
)
from haylift.domain.errors import IndexUnavailable
from haylift.ports.maintenance import IndexState
from haylift.resilience import Deadline
from haylift.services.drift_repair import DocumentMender, MaintenanceParts, document_key_of, merged
from haylift.services.reconcile_place import ALL_KINDS, BY_STAGE, Place, Reconciliation, Stage, Step

logger = logging.getLogger(__name__)

STEP_S = 10.0
"""One step is a page of documents: with less time than this it is left to the next invocation."""

MOST_SHOWN = 1_000
"""Findings that one call names; all are counted."""


class ReconcileService:
    """Compares in pages and in key order, so that memory does not grow with the tenant.

    Rows and index are merged by document id, objects are looked up in the ledger page by page. Rows
    whose object vanished need a look at the bucket each; that is saved when as many objects were
    matched as settled rows expect one. Every suspicion is looked at again before it counts.

    Args:
        kinds: what it looks for.
        leaves_lost: a tenant whose index is gone is left, for whoever runs by a clock: its folder may only
            be away, and a new index would stand in the way of its return.
    """

    def __init__(
        self, parts: MaintenanceParts, kinds: frozenset[DriftKind] = ALL_KINDS, *, leaves_lost: bool = False
    ) -> None:
        self._parts = parts
        self._kinds = kinds
        self._leaves_lost = leaves_lost
        self._mender = DocumentMender(parts=parts)

    def begin(self) -> Place:
        """The place of a run that begins now."""
        return Place(started_at=self._parts.clock.now())

    def run(
        self, place: Place, deadline: Deadline, *, repair: bool, tenant: str | None = None
    ) -> Reconciliation:
        """Goes on until the run or the time is over; a tenant whose index cannot be read is left.

        Raises:
            StoreUnavailable: go on later from the place before.
        """
        drifts: list[Drift] = []
        while (here := self.next_place(place, tenant)) is not None:
            if deadline.remaining_s < STEP_S:
                return Reconciliation(place=here, is_whole=False, drifts=tuple(drifts))
            try:
                place, found = self.step(here, repair=repair)
                drifts += found[: MOST_SHOWN - len(drifts)]
            except IndexUnavailable as fault:
                logger.warning("index is left out", extra={"code": fault.code, "tenant": here.tenant})
                place = replace(here.at(Stage.DONE), unread=(*here.unread, here.tenant))
        return Reconciliation(place=place, is_whole=True, drifts=tuple(drifts))

    def step(self, place: Place, *, repair: bool) -> tuple[Place, tuple[Drift, ...]]:
        """One page of one stage; safe to repeat after a death within it.

        Raises:
            StoreUnavailable, IndexUnavailable: nothing is lost; repeat it.
        """
        stages: dict[Stage, Callable[[Step], Place]] = {
            Stage.INDEX: self._index,
            Stage.ROWS: self._rows,
            Stage.OBJECTS: self._objects,
            Stage.VANISHED: self._vanished,
            Stage.COUNT: self._count,
        }
        generation = self._parts.totals.epoch(place.tenant).generation
        step = Step(place=place, generation=generation, repair=repair)
        after = stages[place.stage](step)
        return step.counted(after), tuple(step.found)

    def next_place(self, place: Place, only: str | None = None) -> Place | None:
        """The place of the step that comes next; None: the run is at its end."""
        if place.stage is not Stage.DONE:
            return place
        names = [only] if only else self._parts.tenants()
        name = next((name for name in names if name > place.tenant), None)
        return None if name is None else place.of(name)

    def _index(self, step: Step) -> Place:
        place, totals = step.place, self._parts.totals
        epoch, count = totals.epoch(place.tenant), totals.count(place.tenant)
        state = self._parts.index.state(place.tenant, step.generation)
        is_gone = state is IndexState.ABSENT and count is not None and count.documents > 0
        is_lost = (is_gone or state is IndexState.REBUILDING) and DriftKind.INDEX_LOST in self._kinds
        if is_gone and self._leaves_lost:
            raise IndexUnavailable("The index of a tenant with documents is gone.", retry_after_s=60.0)
        if is_lost:
            step.note(DriftKind.INDEX_LOST)
        if is_lost and step.repair:
            self._parts.index.begin_rebuild(place.tenant, step.generation)
        is_left = is_gone and not step.repair
        return replace(place.at(Stage.ROWS), is_lost=is_left, content_version=epoch.content_version)

    def _rows(self, step: Step) -> Place:
        place, page = step.place, self._parts.page
        # The index first: what it holds was claimed before, so that the row read after it knows of it.
        stored = self._parts.index.stored_documents(
            place.tenant, step.generation, after=place.after, limit=page, with_digests=True
        )
        rows = self._parts.rows.rows(place.tenant, after=place.after, limit=page)
        pairs, last = merged(rows, stored, page)
        seen = [row for row, _ in pairs if row is not None]
        suspects = [pair for pair in pairs if _is_suspect(*pair)]
        drifted = sum(self._look(step, *_names(row, document)) for row, document in suspects)
        place = replace(
            place,
            busy_rows=place.busy_rows + sum(not row.state.is_final for row in seen) + drifted,
            live_rows=place.live_rows + sum(row.live_revision > 0 for row in seen),
            expecting=place.expecting + sum(_expects_object(row, place) for row in seen),
        )
        return place.at(Stage.OBJECTS) if last is None else place.at(Stage.ROWS, last)

    def _objects(self, step: Step) -> Place:
        place = step.place
        page = self._parts.bucket.current_objects(
            f"{DOCUMENTS_PREFIX}{place.tenant}/", cursor=place.after or None, limit=self._parts.page
        )
        ids = {each: key.document_id for each in page.objects if (key := document_key_of(each.key))}
        rows = self._parts.rows.rows_of(place.tenant, ids.values())
        matched = 0
        for each, document_id in ids.items():
            row = rows.get(document_id)
            if row is not None and row.version_id == each.version_id:
                matched += _expects_object(row, place)
            elif row is None or row.state.is_final:
                self._look(step, document_id, each.key)
        place = replace(place, matched=place.matched + matched)
        return place.at(Stage.OBJECTS, page.cursor) if page.cursor else place.at(Stage.VANISHED)

    def _vanished(self, step: Step) -> Place:
        place, page = step.place, self._parts.page
        if place.expecting == place.matched:
            return place.at(Stage.COUNT)
        rows = self._parts.rows.rows(place.tenant, after=place.after, limit=page)
        for row in rows:
            if _expects_object(row, place):
                found = self._parts.bucket.newest(row.key)
                if found is None or not found.version_id:
                    self._look(step, row.document_id, row.key)
        is_last = len(rows) < page
        return place.at(Stage.COUNT) if is_last else place.at(Stage.VANISHED, rows[-1].document_id)

    def _count(self, step: Step) -> Place:
        place, totals = step.place, self._parts.totals
        tenant, version = place.tenant, place.content_version
        count = totals.count(tenant)
        is_other = place.live_rows != (count.documents if count else 0)
        is_judged = totals.epoch(tenant).content_version == version and DriftKind.CONTENT_COUNT in self._kinds
        if is_other and is_judged:
            step.note(DriftKind.CONTENT_COUNT)
            if step.repair and totals.correct_count(tenant, place.live_rows, content_version=version):
                step.repaired.append(DriftKind.CONTENT_COUNT)
        is_rebuilt = not place.busy_rows and step.repair
        if is_rebuilt and self._parts.index.state(tenant, step.generation) is IndexState.REBUILDING:
            self._parts.index.end_rebuild(tenant, step.generation)
            step.repaired.append(DriftKind.INDEX_LOST)
        return place.at(Stage.DONE)

    def _look(self, step: Step, document_id: str, key: str) -> bool:
        """True when the document has drifted; a repair mends all of it at once, whatever the stage."""
        finding = self._mender.look(step.place.tenant, step.generation, document_id, key)
        left = {DriftKind.CHUNKS_MISSING} if step.place.is_lost else set[DriftKind]()
        if not step.repair:
            own = BY_STAGE.get(step.place.stage)
            left |= ALL_KINDS - own if own else frozenset[DriftKind]().union(*BY_STAGE.values())
        kinds = [kind for kind in (finding.kinds if finding else ()) if kind in self._kinds - left]
        if finding is None or not kinds:
            return finding is not None
        finding = replace(finding, kinds=tuple(kinds))
        step.found += finding.drifts()
        if step.repair:
            self._mender.mend(finding)
            step.repaired += finding.kinds
        return True


def _names(row: DocumentRecord | None, document: StoredDocument | None) -> tuple[str, str]:
    """A document's id and key, by whoever knows them."""
    known = row or document
    return (known.document_id, known.key) if known else ("", "")


def _is_suspect(row: DocumentRecord | None, document: StoredDocument | None) -> bool:
    """By row and index alone; what the bucket says is another stage's."""
    stored = document.revisions if document else {}
    facts = DocumentFacts(row=row, stored=stored, found=None, now=0.0, settle_s=0.0)
    return bool(set(document_drift(facts)) - BY_STAGE["vanished"])


def _expects_object(row: DocumentRecord, place: Place) -> bool:
    """Only rows that have not changed since the run began: so a later count is never the larger one."""
    is_settled = row.updated_at < place.started_at
    return row.state.is_final and row.state is not DocumentState.DELETED and is_settled
