"""One process that searches: the product's index, live revisions, pipeline and service, without a network."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from haylift.adapters.lambda_telemetry import EmfTelemetry
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Vector
from haylift.domain.documents import LiveRevision
from haylift.domain.identity import Scope
from haylift.domain.search import SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline, warm_up
from haylift.ports.search import LegQuery
from haylift.resilience import Deadline
from haylift.services.fusion import fuse, leg_depth
from haylift.services.live_index import LiveIndex
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService

from benchmarks.ingestion.usage import resident_kib
from benchmarks.search.corpus import Corpus
from tests.fakes.cache import InMemorySharedCache, InMemoryTenants

SCOPE = Scope(tenant="acme")
GENERATION = "g1"
TOP_K = 10
LIMIT_S = 60.0


class AllLive:
    """A ledger in which every document's first revision is live."""

    def live_revisions(
        self,
        tenant: str,  # noqa: ARG002  # the port's
        document_ids: Iterable[str],
    ) -> Mapping[str, LiveRevision]:
        """One for each document."""
        return {name: LiveRevision(1) for name in document_ids}


@dataclass
class KnownVectors:
    """An embedder that takes no time: the question's vector was made before."""

    vectors: Mapping[str, Vector]
    model: str = "made-up"

    def embed_query(self, text: str, deadline: Deadline) -> Vector:  # noqa: ARG002  # the port's
        """The question's vector."""
        return self.vectors[text]

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        """Is not part of a search."""
        raise NotImplementedError


class Searcher:
    """The parts of a search over one folder of indexes."""

    def __init__(self, folder: Path, questions: Sequence[tuple[str, Vector]]) -> None:
        vectors = dict(questions)
        self.index = LiveIndex(SqliteIndex(folder), AllLive())
        self.pipeline = HaystackQueryPipeline(query_pipeline(self.index, KnownVectors(vectors)))
        self.vectors = vectors
        cache = QueryCache(InMemorySharedCache(), InMemoryTenants())
        self.service = SearchService(self.pipeline, cache, EmfTelemetry(), model="made-up")

    def parts(self, text: str) -> None:
        """Both legs and their fusion, called directly."""
        query = LegQuery(text=text, vector=self.vectors[text], depth=leg_depth(TOP_K))
        fuse(self.index.retrieve(query, SCOPE, GENERATION), TOP_K)

    def search(self, text: str) -> None:
        """A search that the pipeline answers."""
        request = SearchRequest(query=text, top_k=TOP_K)
        self.pipeline.run(request, SCOPE, GENERATION, Deadline.after(LIMIT_S))

    def miss(self, text: str) -> None:
        """A search of the service that no cache answers."""
        self.service.search(SearchRequest(query=text, top_k=TOP_K), SCOPE, Deadline.after(LIMIT_S))


def timed_ms(work: Callable[[str], None], texts: Iterable[str]) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for text in texts:
        began = time.perf_counter()
        work(text)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def measure(folder: Path, dimensions: int, searches: int) -> dict[str, float]:
    """The first search of this process, the warm ones, and a miss of the service against its parts."""
    questions = Corpus(dimensions).questions(3 * searches + 1)
    texts = [text for text, _ in questions]
    warm_up()
    before_kib = resident_kib()
    searcher = Searcher(folder, questions)
    (first_ms,) = timed_ms(searcher.search, texts[:1])
    searcher.miss(texts[0])
    direct: list[float] = []
    searched: list[float] = []
    missed: list[float] = []
    for turn in range(searches):
        first, second, third = texts[3 * turn + 1 : 3 * turn + 4]
        direct += timed_ms(searcher.parts, [first])
        searched += timed_ms(searcher.search, [second])
        missed += timed_ms(searcher.miss, [third])
    return {
        "first_ms": round(first_ms, 1),
        "p50_ms": round(statistics.median(searched), 2),
        "p99_ms": round(statistics.quantiles(searched, n=100)[98], 2),
        "parts_p50_ms": round(statistics.median(direct), 2),
        "miss_p50_ms": round(statistics.median(missed), 2),
        "miss_ratio": round(statistics.median(missed) / statistics.median(direct), 2),
        "memory_mib": round((resident_kib() - before_kib) / 1_024, 1),
    }


if __name__ == "__main__":
    # The service's metric lines are made and written, but nobody reads them here.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        figures = measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(figures))
