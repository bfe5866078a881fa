"""One document looked at from all three sides, and brought back to where the bucket is."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from haylift.domain.documents import DOCUMENTS_PREFIX, DocumentKey, DocumentRecord, next_sequencer
from haylift.domain.drift import UNTRUSTED, Drift, DriftKind, StoredDocument, document_drift
from haylift.domain.drift import DocumentFacts as Facts
from haylift.domain.errors import InvalidInput
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.identity import is_tenant_name
from haylift.domain.metadata import is_sidecar
from haylift.ports.identity import Clock
from haylift.ports.maintenance import BucketInventory, IndexInventory, LedgerInventory, TenantTotals
from haylift.services.dispatch import DispatchService

logger = logging.getLogger(__name__)

LOOKS = 3
"""A document whose row changes under every look is being worked on, and is no drift."""


@dataclass(frozen=True, kw_only=True)
class MaintenanceParts:
    """What maintenance looks at and repairs by.

    Args:
        dispatch: claims and sends as for an event of S3.
        settle_s: news of an object's change may be on its way for so long; it is no drift before.
        page: documents in one step.
    """

    bucket: BucketInventory
    rows: LedgerInventory
    index: IndexInventory
    totals: TenantTotals
    dispatch: DispatchService
    clock: Clock
    settle_s: float
    page: int = 100

    def tenants(self, *prefixes: str) -> list[str]:
        """By name, all that have an object or a marker below a prefix, or ever had a searchable document."""
        names = {name for prefix in (DOCUMENTS_PREFIX, *prefixes) for name in self.bucket.folders(prefix)}
        names |= {count.tenant for count in self.totals.counts()}
        return sorted(name for name in names if is_tenant_name(name))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with one document, and the facts that say so."""

    tenant: str
    generation: str
    document_id: str
    key: str
    facts: Facts
    kinds: tuple[DriftKind, ...]

    def drifts(self) -> Iterable[Drift]:
        """One drift for each kind."""
        return (
            Drift(tenant=self.tenant, kind=kind, document_id=self.document_id, key=self.key)
            for kind in self.kinds
        )


@dataclass(frozen=True, kw_only=True)
class DocumentMender:
    """Looks at documents that lists made suspect, and mends those that are.

    Lists are read one after the other, while workers go on; a finding is judged by facts that were read
    while the document's row stood still. All methods raise `StoreUnavailable` and `IndexUnavailable`.
    """

    parts: MaintenanceParts

    def look(self, tenant: str, generation: str, document_id: str, key: str) -> Finding | None:
        """What is wrong with the document; None: nothing, or it is being worked on."""
        for _ in range(LOOKS):
            before = self._row(tenant, document_id)
            stored = self.parts.index.stored_document(tenant, generation, document_id)
            found = self.parts.bucket.newest(before.key if before else key)
            if self._row(tenant, document_id) == before:
                break
        else:
            return None
        facts = Facts(
            row=before,
            stored=stored.revisions if stored else {},
            found=found,
            now=self.parts.clock.now(),
            settle_s=self.parts.settle_s,
        )
        kinds = document_drift(facts)
        if not kinds:
            return None
        return Finding(
            tenant=tenant,
            generation=generation,
            document_id=document_id,
            key=before.key if before else key,
            facts=facts,
            kinds=kinds,
        )

    def mend(self, finding: Finding) -> None:
        """Claims the document anew, or takes away what is left of it; safe to repeat and to be killed.

        A claim looks at the bucket itself and goes the way of every event, so a worker does the rest.
        Chunks are removed only of revisions that the row has left behind.
        """
        row, stored = finding.facts.row, finding.facts.stored
        newest = max(stored, default=0)
        # Chunks above the row's revision are of a row that was lost: a new one must not meet them.
        above = newest if row is None or newest > row.revision else 0
        if UNTRUSTED.intersection(finding.kinds):
            self._claim(finding, ObjectEventKind.REBUILD, above)
        elif above or set(finding.kinds) != {DriftKind.ORPHAN_CHUNKS} or row is None:
            self._claim(finding, ObjectEventKind.RECLAIM, above)
        else:
            self.parts.index.remove(
                finding.tenant,
                finding.generation,
                finding.document_id,
                keep_revision=row.live_revision,
                up_to_revision=row.revision if row.state.is_final else row.revision - 1,
            )
        logger.info(
            "drift repaired",
            extra={"document_id": finding.document_id, "kinds": [kind.value for kind in finding.kinds]},
        )

    def _claim(self, finding: Finding, kind: ObjectEventKind, above: int) -> None:
        key = document_key_of(finding.key)
        if key is None or (key.tenant, key.document_id) != (finding.tenant, finding.document_id):
            # No object can have this id, so that no worker ever writes under it.
            self.parts.index.remove(finding.tenant, finding.generation, finding.document_id, keep_revision=0)
            return
        row = finding.facts.row
        self.parts.dispatch.dispatch(
            ObjectEvent(
                kind=kind,
                key=key,
                sequencer=next_sequencer(row.sequencer if row else ""),
                above_revision=above,
            )
        )

    def _row(self, tenant: str, document_id: str) -> DocumentRecord | None:
        return self.parts.rows.rows_of(tenant, (document_id,)).get(document_id)


def document_key_of(object_key: str) -> DocumentKey | None:
    """The document's key; None when the object is no document, as the metadata file beside one is none."""
    try:
        key = DocumentKey.parse(object_key)
    except InvalidInput:
        return None
    return None if is_sidecar(key) else key


def merged(
    rows: tuple[DocumentRecord, ...], stored: tuple[StoredDocument, ...], page: int
) -> tuple[list[tuple[DocumentRecord | None, StoredDocument | None]], str | None]:
    """Pairs of one page of each, by document id, as far as both pages go.

    Gives the id after which the next pages begin; None: both lists are at their end.
    """
    ends = [found[-1].document_id for found in (rows, stored) if len(found) == page]
    last = min(ends, default=None)
    rows_by_id = {row.document_id: row for row in rows}
    stored_by_id = {each.document_id: each for each in stored}
    ids = sorted(rows_by_id.keys() | stored_by_id.keys())
    pairs = [(rows_by_id.get(name), stored_by_id.get(name)) for name in ids if last is None or name <= last]
    return pairs, last
