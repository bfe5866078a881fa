"""Haylift's Haystack components."""

from haylift.pipelines.components.hybrid_retriever import HybridRetriever, RetrievedLegs
from haylift.pipelines.components.leg_fuser import LegFuser

__all__ = ["HybridRetriever", "LegFuser", "RetrievedLegs"]
