"""In memory: an index, a model, a shared cache, tenants and telemetry."""

import math
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from haylift.domain.chunks import Chunk, EmbeddedChunk, Hit, Legs, Vector
from haylift.domain.documents import DocumentKey, Epoch
from haylift.domain.errors import CacheUnavailable, HayliftError, IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports import LegQuery, SharedRead
from haylift.resilience import Deadline
from haylift.telemetry import Metric, checked_dimensions

DIMENSIONS = 64


def chunk(text: str, *, path: str = "a.md", tenant: str = "acme", ordinal: int = 0, **more: object) -> Chunk:
    """A chunk of revision 1 at `documents/<tenant>/<path>`."""
    key = DocumentKey(tenant, path)
    made = Chunk(
        chunk_id=key.chunk_id(1, ordinal),
        document_id=key.document_id,
        key=key.object_key,
        revision=1,
        ordinal=ordinal,
        title="",
        text=text,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # a test names the fields


def words(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"\w+", text.lower())


def word_vector(text: str) -> Vector:
    """A unit vector of hashed words: texts that share words are near each other."""
    counts = [0.0] * DIMENSIONS
    for word in words(text):
        counts[sum(map(ord, word)) % DIMENSIONS] += 1.0
    length = math.sqrt(sum(count * count for count in counts)) or 1.0
    return array("f", [count / length for count in counts])


@dataclass
class FakeIndex:
    """Implements `DocumentIndex`: BM25 and dot products over a list."""

    chunks_by_place: dict[tuple[str, str], dict[str, EmbeddedChunk]] = field(default_factory=dict)
    fault: HayliftError | None = None
    retrievals: int = 0

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        self.check()
        self.retrievals += 1
        place = self.chunks_by_place.get((scope.tenant, generation), {})
        seen = [
            one
            for one in place.values()
            if not one.chunk.access_groups or one.chunk.access_groups & scope.groups
        ]
        vector = query.vector
        keyword = _bm25(query.text, [one.chunk for one in seen]) if query.text else []
        semantic = [(_dot(one.vector, vector), one.chunk) for one in seen] if vector else []
        return Legs(keyword=_best(keyword, query.depth), semantic=_best(semantic, query.depth))

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        self.check()
        place = self.chunks_by_place.setdefault((tenant, generation), {})
        place.update({one.chunk.chunk_id: one for one in chunks})

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        place = self.chunks_by_place.get((tenant, generation), {})
        gone = [
            name
            for name, one in place.items()
            if one.chunk.document_id == document_id
            and one.chunk.revision != keep_revision
            and (up_to_revision is None or one.chunk.revision <= up_to_revision)
        ]
        for name in gone:
            del place[name]
        return len(gone)

    def refresh(self, tenant: str, generation: str) -> None:
        self.check()

    def check(self) -> None:
        if self.fault:
            raise self.fault


def down_index() -> FakeIndex:
    """An index that does not answer."""
    return FakeIndex(fault=IndexUnavailable("The index does not answer."))


def filled_index(*chunks: Chunk, generation: str = "g1") -> FakeIndex:
    """An index that holds the chunks, each under the tenant of its key."""
    index = FakeIndex()
    for one in chunks:
        tenant = DocumentKey.parse(one.key).tenant
        index.write(tenant, generation, [EmbeddedChunk(chunk=one, vector=word_vector(one.embedded_text))])
    return index


def _bm25(text: str, chunks: Sequence[Chunk]) -> list[tuple[float, Chunk]]:
    """BM25 with k1 1.2 and b 0.75 over title, headings and text."""
    counts = [Counter(words(one.embedded_text)) for one in chunks]
    average = sum(map(Counter.total, counts)) / (len(counts) or 1) or 1.0
    scored: list[tuple[float, Chunk]] = []
    idf_by_word = {word: _idf(sum(word in count for count in counts), len(counts)) for word in words(text)}
    for one, count in zip(chunks, counts, strict=True):
        norm = 1.2 * (0.25 + 0.75 * count.total() / average)
        score = sum(
            idf * count[word] * 2.2 / (count[word] + norm) for word, idf in idf_by_word.items() if count[word]
        )
        if score > 0:
            scored.append((score, one))
    return scored


def _idf(found: int, total: int) -> float:
    return math.log(1 + (total - found + 0.5) / (found + 0.5))


def _dot(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _best(scored: Iterable[tuple[float, Chunk]], depth: int) -> tuple[Hit, ...]:
    ranked = sorted(scored, key=lambda pair: (-pair[0], pair[1].chunk_id))[:depth]
    return tuple(Hit(chunk=one, score=score) for score, one in ranked)


@dataclass
class FakeModels:
    """Implements `Embedder` and `Reranker`: hashed words, and the share of the query's words."""

    fault: HayliftError | None = None
    rerank_fault: HayliftError | None = None
    model: str = "hashed-words"
    queries: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def embed_query(self, text: str, deadline: Deadline) -> Vector:
        self._require(deadline)
        self.queries.append(text)
        return word_vector(text)

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        self._require(deadline)
        return [word_vector(text) for text in texts]

    def rerank(self, query: str, passages: Sequence[str], deadline: Deadline) -> list[float]:
        self._require(deadline)
        if self.rerank_fault:
            raise self.rerank_fault
        self.pairs += [(query, passage) for passage in passages]
        asked = set(words(query))
        return [len(asked & set(words(passage))) / len(asked) for passage in passages]

    def _require(self, deadline: Deadline) -> None:
        deadline.require()
        if self.fault:
            raise self.fault


@dataclass
class FakeSharedCache:
    """Implements `SharedCache` with a dictionary that several services can share."""

    epochs: dict[str, Epoch] = field(default_factory=dict)
    entries: dict[tuple[str, str], tuple[Epoch, bytes]] = field(default_factory=dict)
    is_down: bool = False

    def read(self, tenant: str, key: str) -> SharedRead:
        self.check()
        epoch = self.epochs.get(tenant)
        written = self.entries.get((tenant, key))
        entry = written[1] if written and written[0] == epoch else None
        return SharedRead(epoch=epoch, entry=entry)

    def write(self, tenant: str, key: str, epoch: Epoch, value: bytes, ttl_s: int) -> None:
        self.check()
        self.entries[tenant, key] = (epoch, value)

    def publish(self, tenant: str, epoch: Epoch) -> None:
        self.check()
        known = self.epochs.get(tenant)
        if known is None or known.content_version <= epoch.content_version:
            self.epochs[tenant] = epoch

    def check(self) -> None:
        if self.is_down:
            raise CacheUnavailable("The cache does not answer.")


@dataclass
class FakeTenants:
    """Implements `Tenants`: every tenant starts at generation `g1`, version 0."""

    epochs: dict[str, Epoch] = field(default_factory=dict)
    fault: HayliftError | None = None

    def epoch(self, tenant: str) -> Epoch:
        if self.fault:
            raise self.fault
        return self.epochs.get(tenant, Epoch(generation="g1", content_version=0))


@dataclass
class FakeTelemetry:
    """Implements `Telemetry`: keeps what was recorded."""

    records: list[tuple[Metric, float, dict[str, str]]] = field(default_factory=list)

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        self.records.append((metric, value, checked_dimensions(metric, dimensions)))

    def dimensions_of(self, metric: Metric) -> list[dict[str, str]]:
        """The dimensions of each record of a metric, in order."""
        return [dimensions for recorded, _, dimensions in self.records if recorded is metric]


@dataclass
class FakeTime:
    """A clock that moves only when told, or when somebody sleeps."""

    seconds: float = 1_790_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def deadline(self, seconds: float) -> Deadline:
        """A deadline on this clock."""
        return Deadline.after(seconds, self.now)


def over_after(calls: int) -> Callable[[], float]:
    """A clock for `Deadline(expires_at=1)` whose time is over after so many looks."""
    looks = iter([0.0] * calls)
    return lambda: next(looks, 2.0)
