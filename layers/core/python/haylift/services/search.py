"""Searches a tenant's documents, from the cache where its content has not changed."""

from haylift.domain.documents import earliest_expiry
from haylift.domain.errors import HayliftError
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchAnswer, SearchRequest
from haylift.ports import QueryPipeline
from haylift.resilience import Deadline
from haylift.services.cached_values import hits_from_bytes, hits_to_bytes
from haylift.services.query_cache import CacheKey, QueryCache
from haylift.services.ranking import Ranking, answer_version
from haylift.telemetry import Metric, Telemetry

ANSWER_FORM = "2"
"""Raise it when the stored form of a result changes: entries of the form before are then not found."""


class SearchService:
    """Answers searches.

    Args:
        pipeline: finds what the cache does not hold.
        model: name of the embedding model, part of every cache key.
    """

    def __init__(
        self, pipeline: QueryPipeline, cache: QueryCache, telemetry: Telemetry, *, model: str
    ) -> None:
        self._pipeline = pipeline
        self._cache = cache
        self._telemetry = telemetry
        self._model = model

    def search(self, request: SearchRequest, scope: Scope, deadline: Deadline) -> SearchAnswer:
        """Up to `request.top_k` chunks of the scope, best first.

        Side effects: keeps the answer in the cache, unless it is degraded.

        Raises:
            IndexUnavailable, StoreUnavailable: there is no answer without them; retry later.
            ModelUnavailable: in semantic mode; other modes go on without embeddings.
            DeadlineExceeded: the deadline is over.
        """
        try:
            answer = self._answer(request, scope, deadline)
        except HayliftError:
            self._record(request, "error")
            raise
        self._record(request, "true" if answer.hits else "false")
        return answer

    def _answer(self, request: SearchRequest, scope: Scope, deadline: Deadline) -> SearchAnswer:
        version = answer_version(ANSWER_FORM, Ranking())
        key = CacheKey.of(request, scope, kind="search", model=self._model, version=version)
        found = self._cache.lookup(key)
        hits = hits_from_bytes(found.value)
        record_lookup(self._telemetry, found.level if hits is not None else None)
        if hits is not None:
            return SearchAnswer(hits=hits, cache_level=found.level)
        retrieved = self._pipeline.run(request, scope, found.epoch.generation, deadline)
        if retrieved.degraded is None:
            until = earliest_expiry(*(hit.expires_at for hit in retrieved.hits))
            self._cache.store(key, found.epoch, hits_to_bytes(retrieved.hits), until=until)
        else:
            self._telemetry.record(Metric.DEGRADED_ANSWERS, 1, reason=retrieved.degraded)
        return SearchAnswer(hits=retrieved.hits, degraded=retrieved.degraded)

    def _record(self, request: SearchRequest, has_results: str) -> None:
        self._telemetry.record(
            Metric.SEARCH_QUERIES, 1, query_type=request.mode.value, has_results=has_results
        )


def record_lookup(telemetry: Telemetry, level: CacheLevel | None) -> None:
    """Counts a look into the cache by the level that had the answer; None is a miss."""
    telemetry.record(Metric.CACHE_LOOKUPS, 1, level=level.value if level else "miss")
    telemetry.record(Metric.CACHE_HIT_RATIO, 1 if level else 0)
