"""Embeddings and reranking by the model endpoint, reached through SageMaker's runtime API."""

import base64
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from haylift.adapters.model_invocation import ModelInvoker
from haylift.domain.chunks import Vector
from haylift.domain.errors import InvalidInput, ModelUnavailable
from haylift.resilience import Deadline

BATCH_TEXTS = 16
"""Documents in one invocation: 0.7 s for chunks of 128 tokens on an idle core. 32 long ones took up to 30 s
on a busy one, near SageMaker's 60 s. The endpoint batches across invocations anyway."""

BATCH_BYTES = 4_000_000
"""Text bytes in one invocation; with JSON around them below SageMaker's 6 MB."""


class SageMakerModels:
    """The embedder and the reranker behind one endpoint (ports `Embedder` and `Reranker`).

    Args:
        invoker: makes the calls and repeats them.
        model: name of the embedding model, as the endpoint calls it.
    """

    def __init__(self, invoker: ModelInvoker, model: str) -> None:
        self._invoker = invoker
        self._model = model

    @property
    def model(self) -> str:
        """The embedding model's name; part of every cache key."""
        return self._model

    def embed_query(self, text: str, deadline: Deadline) -> Vector:
        """The vector of a question; a question longer than the model reads is cut by the endpoint.

        Raises:
            ModelUnavailable: also when the model refuses the text; a search goes on by keywords.
            DeadlineExceeded: the deadline is over.
        """
        body = self._embedding_body([text], "query") | {"truncate": True}
        try:
            answer = self._invoker.invoke(body, deadline, "query")
        except InvalidInput as refusal:
            raise ModelUnavailable("The model refused the question.") from refusal
        return _vectors(answer, 1)[0]

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        """One vector per text, in order.

        Raises:
            InvalidInput: `text_too_long` or `model_refused_input`; `where` is the text's position.
            ModelBusy, ModelUnavailable, DeadlineExceeded: as the port says; nothing is kept of a part.
        """
        vectors: list[Vector] = []
        for batch in batches(texts):
            try:
                answer = self._invoker.invoke(self._embedding_body(batch, "document"), deadline, "document")
            except InvalidInput as refusal:
                position = len(vectors) + int(refusal.where or 0)
                raise InvalidInput(refusal.detail, code=refusal.code, where=str(position)) from refusal
            vectors += _vectors(answer, len(batch))
        return vectors

    def rerank(self, query: str, passages: Sequence[str], deadline: Deadline) -> list[float]:
        """One relevance per passage, in the passages' order, 0 to 1; long passages are cut.

        Raises:
            ModelUnavailable, DeadlineExceeded: as the port says.
        """
        if not passages:
            return []
        body = {"task": "rerank", "query": query, "documents": list(passages), "truncate": True}
        try:
            answer = self._invoker.invoke(body, deadline, "query")
        except InvalidInput as refusal:
            raise ModelUnavailable("The model refused the passages.") from refusal
        return _relevances(answer, len(passages))

    def _embedding_body(self, texts: Sequence[str], input_type: str) -> dict[str, object]:
        return {
            "task": "embed",
            "model": self._model,
            "input": list(texts),
            "input_type": input_type,
            "encoding_format": "base64",
        }


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cuts the texts, in order, into batches of at most `BATCH_TEXTS` and `BATCH_BYTES` (one text at least).

    >>> [len(batch) for batch in batches(["a"] * 70)]
    [16, 16, 16, 16, 6]
    """
    batch: list[str] = []
    batch_bytes = 0
    for text in texts:
        text_bytes = len(text.encode("utf-8", "replace"))
        if batch and (len(batch) == BATCH_TEXTS or batch_bytes + text_bytes > BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(text)
        batch_bytes += text_bytes
    if batch:
        yield batch


def _vectors(answer: dict[str, Any], count: int) -> list[Vector]:
    """Float32 vectors from base64, put in the order of the inputs."""
    try:
        rows = {row["index"]: _floats(row["embedding"]) for row in answer["data"]}
        return [rows[position] for position in range(count)]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable("The model endpoint's answer has no vector for every text.") from error


def _floats(encoded: str) -> Vector:
    vector = array("f")
    vector.frombytes(base64.b64decode(encoded, validate=True))
    if not vector:
        raise ValueError("empty vector")
    if sys.byteorder == "big":
        vector.byteswap()  # the wire is little-endian
    return vector


def _relevances(answer: dict[str, Any], count: int) -> list[float]:
    try:
        rows = {row["index"]: float(row["relevance_score"]) for row in answer["results"]}
        return [rows[position] for position in range(count)]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable("The model endpoint's answer has no relevance for every passage.") from error
