"""What search needs from the world."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from haylift.domain.chunks import EmbeddedChunk, Legs, Vector
from haylift.domain.documents import Epoch, LiveRevision
from haylift.domain.filters import Filter
from haylift.domain.identity import Scope
from haylift.domain.search import Retrieved, SearchRequest
from haylift.resilience import Deadline


@dataclass(frozen=True, kw_only=True)
class LegQuery:
    """One retrieval: a leg is asked when its input is given.

    Args:
        text: for the keyword leg, or None.
        vector: for the semantic leg, or None.
        depth: hits per leg, >= 1.
    """

    text: str | None
    vector: Vector | None
    depth: int
    filters: Filter | None = None


@dataclass(frozen=True, kw_only=True)
class TenantCount:
    """How many documents of a tenant readers can find, and in which generation of its index."""

    tenant: str
    generation: str
    documents: int


class DocumentIndex(Protocol):
    """Chunks of one tenant and generation, found by words and by vectors.

    Promises: an answer holds only chunks of `scope.tenant` that `scope.groups` may read, whatever the
    filter says; a write of the same chunk id replaces; hits come best first, ties by chunk id; after
    `refresh` every process sees what was written before. All methods raise `IndexUnavailable`.
    """

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        """Both legs in one round trip; scores are the leg's own (BM25, cosine)."""

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Writes all chunks or raises; safe to repeat."""

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        """Removes the document's chunks of other revisions (0 keeps none); gives the number removed.

        Chunks of revisions above `up_to_revision` stay: a worker that is late must not remove what
        the worker of a newer revision is writing. None: whatever the revision.
        """

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        """The ids of the chunks that are written under the revision, live or not.

        An id that is given is stored whole; one that was written a moment ago may be missing.
        """

    def stored_vectors(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> Mapping[bytes, Vector]:
        """The vectors of the revision's chunks by `Chunk.embedded_digest`, so that none is made twice.

        One that is missing costs an embedding and nothing else. 1.5 kB for each chunk of 384 dimensions.
        """

    def stored_digest(self, tenant: str, generation: str, document_id: str, *, revision: int) -> str:
        """A digest over ids, contents and vectors of the chunks under the revision, in no order's favour.

        What a reconcile compares later: whoever changes a chunk changes it. Read after `refresh`.
        """

    def refresh(self, tenant: str, generation: str) -> None:
        """Makes all earlier writes visible to every process."""

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        """Asks the store whether it works; a cheap, real request.

        `filled`: tenants with documents, whose index must be there and readable.
        """


class Embedder(Protocol):
    """Texts to unit-length vectors. Raises `ModelUnavailable` (retry later), `DeadlineExceeded`."""

    @property
    def model(self) -> str:
        """The model's name; part of every cache key."""

    def embed_query(self, text: str, deadline: Deadline) -> Vector:
        """The vector of a question (with the model's query prefix)."""

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        """One vector per text, in order.

        A text over the model's limit raises InvalidInput `text_too_long` with the position of that
        text as `where`; nothing is cut silently. A model that has too much to do raises `ModelBusy`:
        the caller waits and sends less.
        """


class Reranker(Protocol):
    """A cross-encoder. Raises `ModelUnavailable`, `DeadlineExceeded`."""

    def rerank(self, query: str, passages: Sequence[str], deadline: Deadline) -> list[float]:
        """One relevance per passage, in the passages' order, 0 to 1."""


class QueryPipeline(Protocol):
    """The Haystack pipeline behind a search; a user's own can take its place."""

    def run(self, request: SearchRequest, scope: Scope, generation: str, deadline: Deadline) -> Retrieved:
        """Finds up to `request.top_k` hits. Raises `IndexUnavailable`, `DeadlineExceeded`."""


class LiveRevisions(Protocol):
    """What readers may see."""

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        """The live revision by document id, in one batched, strongly consistent read; absent: none."""


@dataclass(frozen=True, kw_only=True)
class SharedRead:
    """One round trip to the shared cache: the tenant's epoch (None: not known there) and the entry."""

    epoch: Epoch | None
    entry: bytes | None


class SharedCache(Protocol):
    """The cache that all processes share. All methods raise `CacheUnavailable`."""

    def read(self, tenant: str, key: str) -> SharedRead:
        """Epoch and entry in one round trip; the entry only if it was written under that epoch."""

    def write(self, tenant: str, key: str, epoch: Epoch, value: bytes, ttl_s: int) -> None:
        """Keeps `value` under `key` for `epoch`."""

    def publish(self, tenant: str, epoch: Epoch) -> None:
        """Tells every process the tenant's epoch; an older content version never replaces a newer one."""

    def check(self) -> None:
        """Asks the cache whether it works."""


class TenantCounts(Protocol):
    """How full the tenants' indexes are, for those who watch over the system."""

    def counts(self) -> tuple[TenantCount, ...]:
        """Every tenant that ever had a searchable document, by name. Raises `StoreUnavailable`."""

    def count(self, tenant: str) -> TenantCount | None:
        """One tenant's, strongly consistent; None before its first document. Raises `StoreUnavailable`."""


class Tenants(Protocol):
    """The tenants' records. All methods raise `StoreUnavailable`."""

    def epoch(self, tenant: str) -> Epoch:
        """The tenant's epoch, strongly consistent; a tenant without a record starts at version 0."""
