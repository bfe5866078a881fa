"""The Haystack pipeline behind every search."""

import logging
from collections.abc import Mapping
from typing import Any

from haystack import Pipeline
from haystack.core.errors import PipelineRuntimeError

from haylift.domain.chunks import Legs
from haylift.domain.errors import HayliftError
from haylift.domain.identity import Scope
from haylift.domain.search import Retrieved, SearchRequest
from haylift.pipelines.components import HybridRetriever, LegFuser, RetrievedLegs
from haylift.pipelines.documents import to_hit
from haylift.ports import DocumentIndex, Embedder
from haylift.resilience import Deadline
from haylift.services.fusion import Fusion


def query_pipeline(index: DocumentIndex, embedder: Embedder, fusion: Fusion | None = None) -> Pipeline:
    """`retriever` (HybridRetriever) -> `fuser` (LegFuser) -> documents.

    Another component that turns documents into documents, such as a ranker, can follow the fuser.
    """
    fusion = fusion or Fusion()
    pipeline = Pipeline(metadata={"name": "haylift-query"})
    pipeline.add_component("retriever", HybridRetriever(index=index, embedder=embedder))
    pipeline.add_component(
        "fuser", LegFuser(method=fusion.method.value, semantic_weight=fusion.semantic_weight)
    )
    pipeline.connect("retriever.legs", "fuser.legs")
    return pipeline


class HaystackQueryPipeline:
    """Runs a query pipeline (port `QueryPipeline`).

    Only declared inputs are passed, each made by Haylift: what a caller writes is the question's text
    and never the name of an input, a template or a query of the store.

    Args:
        pipeline: has the components `retriever` and `fuser` of `query_pipeline`.
        last: the component whose `documents` are the answer.
    """

    def __init__(self, pipeline: Pipeline, last: str = "fuser") -> None:
        self._pipeline = pipeline
        self._last = last

    def run(self, request: SearchRequest, scope: Scope, generation: str, deadline: Deadline) -> Retrieved:
        """Finds up to `request.top_k` hits.

        Raises:
            IndexUnavailable, ModelUnavailable, DeadlineExceeded: as `HybridRetriever.run` says.
        """
        inputs: dict[str, dict[str, object]] = {
            "retriever": {
                "request": request,
                "scope": scope,
                "generation": generation,
                "deadline": deadline,
            },
            "fuser": {"top_k": request.top_k},
        }
        outputs = self._outputs(inputs)
        hits = tuple(to_hit(document) for document in outputs[self._last]["documents"])
        return Retrieved(hits=hits, degraded=outputs["retriever"]["degraded"])

    def _outputs(self, inputs: Mapping[str, Mapping[str, object]]) -> Mapping[str, Any]:
        try:
            return self._pipeline.run(dict(inputs))
        except PipelineRuntimeError as error:
            if isinstance(error.__cause__, HayliftError):
                raise error.__cause__ from None
            raise


def warm_up() -> None:
    """Runs a pipeline once over nothing: the first run of a process costs 100-500 ms more.

    Side effects: Haystack's own loggers report errors only; it warns several times about each fault
    that passes through a pipeline, and Haylift logs that fault itself.
    """
    logging.getLogger("haystack").setLevel(logging.ERROR)
    pipeline = Pipeline()
    pipeline.add_component("fuser", LegFuser())
    pipeline.run({"fuser": {"legs": RetrievedLegs(Legs()), "top_k": 1}})
