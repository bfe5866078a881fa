"""An index whose readers see live revisions only."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from haylift.domain.chunks import EmbeddedChunk, Hit, Legs, Vector
from haylift.domain.documents import LiveRevision
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery, LiveRevisions, TenantCount
from haylift.tracing import Hop, hop, tally

OVER_FETCH_FACTOR = 2
"""A document under replacement is in the index twice; if every one is, half of a leg is live."""

MAX_READS = 4
"""One retrieval and at most three more; beyond that the answer is what is live."""

CLOCK_MARGIN_S = 2.0
"""How far the clocks of two functions may be apart; Lambda's hosts keep theirs within milliseconds."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One read of the index, begun at `began_at`, and after it the live revisions of what was found."""

    found: Legs
    live: Mapping[str, LiveRevision]
    groups: frozenset[str]
    began_at: float

    def kept(self, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        shown = ((hit, self._shown(hit)) for hit in hits)
        return tuple(replace(hit, expires_at=live.expires_at) for hit, live in shown if live is not None)

    def _shown(self, hit: Hit) -> LiveRevision | None:
        live = self.live.get(hit.chunk.document_id)
        return live if live == hit.chunk.revision and live.is_for(self.groups) else None

    def unsure(self) -> dict[str, int]:
        """The live revision by document, of which this read may not hold the whole.

        A hit was dropped for a newer revision, or the revision was perhaps made live after the read had
        begun: then its chunks were still being written.
        """
        hits = (*self.found.keyword, *self.found.semantic)
        return {
            hit.chunk.document_id: live
            for hit in hits
            if (live := self.live.get(hit.chunk.document_id))
            and (live > hit.chunk.revision or live.since > self.began_at - CLOCK_MARGIN_S)
        }

    def is_short(self, wanted: int, fetched: int) -> bool:
        """True when dropping left fewer hits than were wanted and the index may hold more."""
        return any(
            len(hits) >= fetched and len(self.kept(hits)) < wanted
            for hits in (self.found.keyword, self.found.semantic)
        )


class LiveIndex:
    """A `DocumentIndex` that answers with live revisions only.

    The index is read first and the ledger after it, in one batched read. A hit whose revision is not
    live is dropped, and so is one whose readers a newer claim, perhaps not yet indexed, leaves out: the
    index knows the groups of the live version only.

    When a hit was dropped for a newer revision, the document was replaced between the two reads and the
    newer one may be missing from the first: the index is read again. So it is when a revision was made
    live a moment ago: the first read may have met it half written. So a document is found whole and in
    exactly one version, on stores without transactions too.

    When nothing at all was found, `count_of` (a tenant's number of documents, None: not known) is asked
    whether there is something to find, and if so the index whether it is there.

    Requires that a revision's chunks are written and refreshed before it is made live, and those of
    the old revision removed only after.
    """

    def __init__(
        self,
        index: DocumentIndex,
        revisions: LiveRevisions,
        count_of: Callable[[str], TenantCount | None] = lambda _tenant: None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._index = index
        self._revisions = revisions
        self._count_of = count_of
        self._now = now

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        """Both legs of live chunks, ranks counted without gaps.

        Raises:
            IndexUnavailable, StoreUnavailable: retry later.
        """
        known: dict[str, int] = {}
        depth = query.depth * OVER_FETCH_FACTOR
        for _ in range(MAX_READS):
            reading = self._read(replace(query, depth=depth), scope, generation)
            unsure = reading.unsure()
            is_short = reading.is_short(query.depth, depth)
            # A revision known to be live before the index was read is wholly in that read: what is
            # left of the older one is only waiting for its removal and is no reason to read again.
            if not is_short and all(known.get(name) == revision for name, revision in unsure.items()):
                break
            known.update(reading.live)
            depth *= OVER_FETCH_FACTOR if is_short else 1
        return Legs(
            keyword=tuple(
                replace(hit, keyword_rank=rank)
                for rank, hit in enumerate(reading.kept(reading.found.keyword)[: query.depth], start=1)
            ),
            semantic=tuple(
                replace(hit, semantic_rank=rank)
                for rank, hit in enumerate(reading.kept(reading.found.semantic)[: query.depth], start=1)
            ),
        )

    def _read(self, query: LegQuery, scope: Scope, generation: str) -> _Reading:
        began_at = self._now()
        found = self._index.retrieve(query, scope, generation)
        tally(reads=1)
        document_ids = sorted({hit.chunk.document_id for hit in (*found.keyword, *found.semantic)})
        if not document_ids:
            self._require_index(scope.tenant)
            return _Reading(found=found, live={}, groups=scope.groups, began_at=began_at)
        with hop(Hop.TABLES, table="ledger", documents=len(document_ids)):
            live = self._revisions.live_revisions(scope.tenant, document_ids)
        return _Reading(found=found, live=live, groups=scope.groups, began_at=began_at)

    def _require_index(self, tenant: str) -> None:
        """Tells nothing found from nothing there: an index that is gone must not pass for an empty one.

        Raises:
            IndexUnavailable: the tenant has documents and its index cannot be read.
            StoreUnavailable: it is not known whether the tenant has documents.
        """
        with hop(Hop.TABLES, table="tenants"):
            count = self._count_of(tenant)
        if count is not None and count.documents > 0:
            self._index.check([count])

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Writes to the index; nothing of it is seen before its revision is live."""
        self._index.write(tenant, generation, chunks)

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        """Removes from the index."""
        return self._index.remove(
            tenant, generation, document_id, keep_revision=keep_revision, up_to_revision=up_to_revision
        )

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        """What the index holds of the revision, live or not."""
        return self._index.stored_chunk_ids(tenant, generation, document_id, revision=revision)

    def stored_vectors(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> Mapping[bytes, Vector]:
        """The vectors that the index holds of the revision."""
        return self._index.stored_vectors(tenant, generation, document_id, revision=revision)

    def stored_digest(self, tenant: str, generation: str, document_id: str, *, revision: int) -> str:
        """The digest of what the index holds of the revision."""
        return self._index.stored_digest(tenant, generation, document_id, revision=revision)

    def refresh(self, tenant: str, generation: str) -> None:
        """Refreshes the index."""
        self._index.refresh(tenant, generation)

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        """Checks the index."""
        self._index.check(filled)
