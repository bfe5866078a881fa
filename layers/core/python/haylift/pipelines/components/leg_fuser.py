"""The component that makes one ranking of two legs."""

from typing import Any, Self, TypedDict

from haystack import Document, component, default_from_dict, default_to_dict

from haylift.pipelines.components.hybrid_retriever import RetrievedLegs
from haylift.pipelines.documents import to_document
from haylift.services.fusion import Fusion, FusionMethod, fuse


class LegFuserOutput(TypedDict):
    """What the fuser gives, best first."""

    documents: list[Document]


@component
class LegFuser:
    """Joins the legs and keeps the best; see `haylift.services.fusion` for the methods.

    Example:
        ```python
        fuser = LegFuser(method="convex", semantic_weight=0.5)
        documents = fuser.run(legs=found["legs"], top_k=10)["documents"]
        ```

    Args:
        method: `convex` or `reciprocal_rank`.
        semantic_weight: share of the semantic leg, 0 to 1.
    """

    def __init__(self, method: str = FusionMethod.CONVEX.value, semantic_weight: float = 0.5) -> None:
        self.method = method
        self.semantic_weight = semantic_weight
        self._fusion = Fusion(method=FusionMethod(method), semantic_weight=semantic_weight)

    @component.output_types(documents=list[Document])
    def run(self, legs: RetrievedLegs, top_k: int) -> LegFuserOutput:
        """The best `top_k` chunks as Haystack documents; their scores lie between 0 and 1."""
        return {"documents": [to_document(hit) for hit in fuse(legs.legs, top_k, self._fusion)]}

    def to_dict(self) -> dict[str, Any]:
        """The component as a dictionary."""
        return default_to_dict(self, method=self.method, semantic_weight=self.semantic_weight)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The component that `to_dict` described."""
        return default_from_dict(cls, data)
