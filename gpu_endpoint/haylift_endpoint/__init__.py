"""Batched embedding and reranking over HTTP, for SageMaker and for any other host."""

__version__ = "0.1.0"
