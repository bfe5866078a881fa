"""The component that finds chunks by words and by meaning."""

import logging
from dataclasses import dataclass
from typing import TypedDict

from haystack import component

from haylift.domain.chunks import Legs, Vector
from haylift.domain.errors import DeadlineExceeded, ModelUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import SearchMode, SearchRequest
from haylift.ports import DocumentIndex, Embedder, LegQuery
from haylift.resilience import Deadline
from haylift.services.fusion import leg_depth
from haylift.tracing import Hop, hop

EMBEDDING_PATIENCE_S = 2.0
"""A hybrid search goes on by keywords after this long: an embedding takes about 50 ms on an idle CPU. Two
such time-outs, one after the other, open the circuit breaker within 5 s."""

NO_EMBEDDINGS = "no_embeddings"
logger = logging.getLogger("haylift.search")


@dataclass(frozen=True)
class RetrievedLegs:
    """Both legs on their way to the next component.

    Haystack copies what crosses an edge, 50 us for each document; legs never change, so that a copy
    is the thing itself.
    """

    legs: Legs

    def __deepcopy__(self, memo: object) -> "RetrievedLegs":
        return self


class HybridRetrieverOutput(TypedDict):
    """What the retriever gives; `degraded` is None or the reason of lower quality."""

    legs: RetrievedLegs
    degraded: str | None


@component
class HybridRetriever:
    """Embeds the question and asks the index for both legs at once; no vector crosses an edge.

    Example:
        ```python
        retriever = HybridRetriever(index=index, embedder=embedder)
        found = retriever.run(
            request=SearchRequest(query="lost keys"),
            scope=principal.scope,
            generation="g1",
            deadline=Deadline.after(5.0),
        )
        found["legs"].legs.keyword
        ```

    Args:
        index: where the chunks are.
        embedder: makes the question's vector.
        embedding_patience_s: how long a hybrid search waits for the vector, in seconds.
    """

    def __init__(
        self,
        index: DocumentIndex,
        embedder: Embedder,
        embedding_patience_s: float = EMBEDDING_PATIENCE_S,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._embedding_patience_s = embedding_patience_s

    @component.output_types(legs=RetrievedLegs, degraded=str | None)
    def run(
        self, request: SearchRequest, scope: Scope, generation: str, deadline: Deadline
    ) -> HybridRetrieverOutput:
        """Finds `leg_depth(request.top_k)` chunks per leg that the mode asks for.

        Without embeddings a hybrid search goes on by keywords (`degraded` is `no_embeddings`).

        Raises:
            IndexUnavailable: the index does not answer.
            ModelUnavailable: no embeddings for a semantic search; the detail names the modes that go on.
            DeadlineExceeded: the deadline is over.
        """
        vector, degraded = self._vector(request, deadline)
        deadline.require()
        query = LegQuery(
            text=None if request.mode is SearchMode.SEMANTIC else request.query,
            vector=vector,
            depth=leg_depth(request.top_k),
            filters=request.filters,
        )
        with hop(Hop.INDEX, mode=request.mode.value) as note:
            legs = self._index.retrieve(query, scope, generation)
            note.facts |= {"keyword_hits": len(legs.keyword), "semantic_hits": len(legs.semantic)}
        return {"legs": RetrievedLegs(legs), "degraded": degraded}

    def _vector(self, request: SearchRequest, deadline: Deadline) -> tuple[Vector | None, str | None]:
        if request.mode is SearchMode.KEYWORD:
            return None, None
        if request.mode is SearchMode.SEMANTIC:
            return self._required(request.query, deadline), None
        try:
            return self._embedded(request.query, deadline.within(self._embedding_patience_s)), None
        except (ModelUnavailable, DeadlineExceeded) as fault:
            logger.warning("search goes on by keywords", extra={"code": fault.code})
            return None, NO_EMBEDDINGS

    def _required(self, text: str, deadline: Deadline) -> Vector:
        try:
            return self._embedded(text, deadline)
        except ModelUnavailable as fault:
            wait_s = max(1, round(fault.retry_after_s))
            detail = f"{fault.detail} Search with `mode` hybrid or keyword, or try again in {wait_s} s."
            raise ModelUnavailable(detail, retry_after_s=fault.retry_after_s, code=fault.code) from fault

    def _embedded(self, text: str, deadline: Deadline) -> Vector:
        with hop(Hop.EMBEDDING):
            return self._embedder.embed_query(text, deadline)
