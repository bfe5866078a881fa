"""What search needs, in memory: a model, a clock, chunks, and an index that fails when told."""

import math
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from haylift.domain.chunks import Chunk, EmbeddedChunk, Legs, Vector
from haylift.domain.documents import DocumentKey, Epoch
from haylift.domain.errors import HayliftError
from haylift.domain.identity import Scope
from haylift.ports import LegQuery, TenantCount
from haylift.resilience import Deadline

from tests.fakes.cache import InMemoryTenants
from tests.fakes.index import InMemoryIndex

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
    length = math.hypot(*counts) or 1.0
    return array("f", [count / length for count in counts])


@dataclass
class FaultyIndex(InMemoryIndex):
    """An index that can be told to fail; counts its retrievals and keeps the last query."""

    fault: HayliftError | None = None
    queries: list[LegQuery] = field(default_factory=list)

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        self.check()
        self.queries.append(query)
        return super().retrieve(query, scope, generation)

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        if self.fault:
            raise self.fault
        super().check(filled)


def filled_index(*chunks: Chunk, generation: str = "g1") -> FaultyIndex:
    """An index that holds the chunks, each under the tenant of its key."""
    index = FaultyIndex()
    for one in chunks:
        tenant = DocumentKey.parse(one.key).tenant
        index.write(tenant, generation, [EmbeddedChunk(chunk=one, vector=word_vector(one.embedded_text))])
    return index


@dataclass
class FakeModels:
    """`Embedder` and `Reranker`: hashed words, and the share of the query's words in a passage."""

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
class FaultyTenants(InMemoryTenants):
    """Tenants that can be told to fail."""

    fault: HayliftError | None = None

    def epoch(self, tenant: str) -> Epoch:
        if self.fault:
            raise self.fault
        return super().epoch(tenant)


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
