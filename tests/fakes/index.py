"""A document index in memory: the plainest reading of the port, and the oracle of filters and ranks."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from haylift.adapters.sqlite_analysis import terms
from haylift.domain.chunks import Chunk, EmbeddedChunk, Hit, Legs, Vector
from haylift.domain.documents import LiveRevision
from haylift.domain.drift import StoredDocument, StoredRevision
from haylift.domain.errors import IndexUnavailable, InvalidInput
from haylift.domain.filters import Comparator, Comparison, Connective, Filter, Scalar, utc_date
from haylift.domain.identity import Scope
from haylift.ports.maintenance import IndexState
from haylift.ports.search import LegQuery, TenantCount


@dataclass
class InMemoryIndex:
    """`DocumentIndex` over a dictionary."""

    stored: dict[tuple[str, str], dict[str, EmbeddedChunk]] = field(default_factory=dict)
    rebuilding: set[tuple[str, str]] = field(default_factory=set)

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        if (scope.tenant, generation) in self.rebuilding:
            raise IndexUnavailable("The index is being rebuilt.")
        stored = list(self.stored.get((scope.tenant, generation), {}).values())
        allowed = [embedded for embedded in stored if self.may_see(embedded.chunk, query.filters, scope)]
        keyword: list[tuple[float, Chunk]] = []
        semantic: list[tuple[float, Chunk]] = []
        if query.text is not None:
            scores = bm25([embedded.chunk for embedded in stored], query.text)
            keyword = [
                (scores[each.chunk.chunk_id], each.chunk) for each in allowed if scores[each.chunk.chunk_id]
            ]
        if query.vector is not None:
            semantic = [(cosine(query.vector, each.vector), each.chunk) for each in allowed]
        return Legs(
            keyword=tuple(
                Hit(chunk=chunk, score=score, keyword_rank=rank, keyword_score=score)
                for rank, (score, chunk) in enumerate(_best(keyword, query.depth), start=1)
            ),
            semantic=tuple(
                Hit(chunk=chunk, score=score, semantic_rank=rank, semantic_score=score)
                for rank, (score, chunk) in enumerate(_best(semantic, query.depth), start=1)
            ),
        )

    def may_see(self, chunk: Chunk, filters: Filter | None, scope: Scope) -> bool:
        may_read = not chunk.access_groups or bool(chunk.access_groups & scope.groups)
        return may_read and (filters is None or matches(chunk, filters))

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        stored = self.stored.setdefault((tenant, generation), {})
        stored.update({embedded.chunk.chunk_id: embedded for embedded in chunks})

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        stored = self.stored.get((tenant, generation), {})
        gone = [
            chunk_id
            for chunk_id, each in stored.items()
            if each.chunk.document_id == document_id
            and each.chunk.revision != keep_revision
            and (up_to_revision is None or each.chunk.revision <= up_to_revision)
        ]
        for chunk_id in gone:
            del stored[chunk_id]
        return len(gone)

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        stored = self.stored.get((tenant, generation), {}).values()
        return frozenset(
            each.chunk.chunk_id
            for each in stored
            if (each.chunk.document_id, each.chunk.revision) == (document_id, revision)
        )

    def stored_vectors(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> dict[bytes, Vector]:
        return {
            each.chunk.embedded_digest: each.vector
            for each in self.stored.get((tenant, generation), {}).values()
            if (each.chunk.document_id, each.chunk.revision) == (document_id, revision)
        }

    def stored_digest(self, tenant: str, generation: str, document_id: str, *, revision: int) -> str:
        stored = sorted(self.stored.get((tenant, generation), {}).items())
        mine = [
            each
            for _, each in stored
            if (each.chunk.document_id, each.chunk.revision) == (document_id, revision)
        ]
        return sha256(repr([(each.chunk, list(each.vector)) for each in mine]).encode()).hexdigest()

    def refresh(self, tenant: str, generation: str) -> None:
        """Everything is seen at once."""

    def stored_documents(
        self, tenant: str, generation: str, *, after: str = "", limit: int = 100, with_digests: bool = False
    ) -> tuple[StoredDocument, ...]:
        chunks = [each.chunk for each in self.stored.get((tenant, generation), {}).values()]
        names = sorted({chunk.document_id for chunk in chunks if chunk.document_id > after})[:limit]
        found = [self.stored_document(tenant, generation, name) for name in names]
        return tuple(each for each in found if each is not None)

    def stored_document(self, tenant: str, generation: str, document_id: str) -> StoredDocument | None:
        stored = self.stored.get((tenant, generation), {}).values()
        mine = [each.chunk for each in stored if each.chunk.document_id == document_id]
        counts = Counter(chunk.revision for chunk in mine)
        revisions = {
            revision: StoredRevision(
                chunk_count=count,
                digest=self.stored_digest(tenant, generation, document_id, revision=revision),
            )
            for revision, count in counts.items()
        }
        key = mine[0].key if mine else ""
        return StoredDocument(document_id=document_id, key=key, revisions=revisions) if mine else None

    def state(self, tenant: str, generation: str) -> IndexState:
        if (tenant, generation) in self.rebuilding:
            return IndexState.REBUILDING
        return IndexState.READY if (tenant, generation) in self.stored else IndexState.ABSENT

    def begin_rebuild(self, tenant: str, generation: str) -> None:
        if (tenant, generation) not in self.stored:
            self.stored[tenant, generation] = {}
            self.rebuilding.add((tenant, generation))

    def end_rebuild(self, tenant: str, generation: str) -> None:
        self.rebuilding.discard((tenant, generation))

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        for count in filled:
            if (count.tenant, count.generation) not in self.stored:
                raise IndexUnavailable("An index is gone.")


@dataclass
class InMemoryLiveRevisions:
    """`LiveRevisions` over a dictionary by (tenant, document id); counts its reads."""

    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    since: dict[tuple[str, str], float] = field(default_factory=dict)
    groups: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    reads: int = 0

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        self.reads += 1
        return {
            name: LiveRevision(
                self.revisions[tenant, name],
                self.since.get((tenant, name), 0.0),
                self.groups.get((tenant, name), frozenset()),
            )
            for name in document_ids
            if self.revisions.get((tenant, name))
        }


def _best(scored: list[tuple[float, Chunk]], depth: int) -> list[tuple[float, Chunk]]:
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].chunk_id))[:depth]


def bm25(chunks: Sequence[Chunk], query: str) -> dict[str, float]:
    """Lucene's BM25 (k1 1.2, b 0.75) by chunk id."""
    counts = {chunk.chunk_id: Counter(terms(chunk.embedded_text)) for chunk in chunks}
    mean = max(sum(map(Counter.total, counts.values())) / max(len(counts), 1), 1.0)
    scores = dict.fromkeys(counts, 0.0)
    for term, times in Counter(terms(query)).items():
        containing = sum(1 for count in counts.values() if count[term])
        idf = math.log(1 + (len(counts) - containing + 0.5) / (containing + 0.5))
        for chunk_id, count in counts.items():
            norm = 1.2 * (0.25 + 0.75 * count.total() / mean)
            scores[chunk_id] += times * idf * count[term] / (count[term] + norm)
    return scores


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Rounded to what float32 carries."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return round(math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths, 6) if lengths else 0.0


def matches(chunk: Chunk, node: Filter) -> bool:
    """The meaning of a filter in plain Python."""
    if isinstance(node, Comparison):
        return _compares(_values(chunk, node.field), node)
    truths = [matches(chunk, condition) for condition in node.conditions]
    match node.operator:
        case Connective.AND:
            return all(truths)
        case Connective.OR:
            return any(truths)
        case Connective.NOT:
            return not all(truths)


def _values(chunk: Chunk, name: str) -> list[Scalar]:
    found = chunk.meta.get(name.removeprefix("meta.")) if name.startswith("meta.") else getattr(chunk, name)
    if found is None:
        return []
    return list(found) if isinstance(found, list) else [found]


def _compares(values: list[Scalar], comparison: Comparison) -> bool:
    wanted = comparison.value
    match comparison.operator:
        case Comparator.EQUAL:
            return not values if wanted is None else any(_equal(value, wanted) for value in values)
        case Comparator.NOT_EQUAL:
            return not _compares(values, Comparison(comparison.field, Comparator.EQUAL, wanted))
        case Comparator.IN:
            return any(_equal(value, each) for value in values for each in wanted)
        case Comparator.NOT_IN:
            return not _compares(values, Comparison(comparison.field, Comparator.IN, wanted))
        case _:
            return any(_ordered(value, comparison) for value in values)


def _equal(value: Scalar, wanted: Scalar) -> bool:
    return _kind(value) is _kind(wanted) and value == wanted


def _kind(value: Scalar) -> type:
    return float if type(value) is int else type(value)


def _ordered(value: Scalar, comparison: Comparison) -> bool:
    wanted = comparison.value
    if isinstance(value, bool) or isinstance(value, str) is not isinstance(wanted, str):
        return False
    if isinstance(value, str):
        try:
            value = utc_date(value)
        except InvalidInput:
            return False
    match comparison.operator:
        case Comparator.GREATER:
            return value > wanted
        case Comparator.GREATER_OR_EQUAL:
            return value >= wanted
        case Comparator.LESS:
            return value < wanted
        case _:
            return value <= wanted
