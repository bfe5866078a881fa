"""The component that embeds pieces and writes them as chunks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import batched
from typing import TypedDict

from haystack import component

from haylift.domain.chunks import Chunk, EmbeddedChunk, MetaValue
from haylift.domain.errors import DocumentRejected, InvalidInput
from haylift.pipelines.components.indexing_values import IndexingJob, SplitFile
from haylift.ports import DocumentIndex, Embedder, IndexedDocument, IndexingTask
from haylift.services.splitting import Piece, halved

BATCH_PIECES = 32
"""Pieces between two signs of life: about 2 s on two CPU cores."""

FIRST_PERCENT, LAST_PERCENT = 10, 90


class ChunkWriterOutput(TypedDict):
    """What the writer gives."""

    indexed: IndexedDocument


@component
class ChunkWriter:
    """Embeds and writes inside one component, so that no vector crosses an edge.

    Example:
        ```python
        ChunkWriter(index=index, embedder=embedder).run(job=IndexingJob(task), split=split)["indexed"]
        ```

    Args:
        index: where the chunks go.
        embedder: makes their vectors.
    """

    def __init__(self, index: DocumentIndex, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    @component.output_types(indexed=IndexedDocument)
    def run(self, job: IndexingJob, split: SplitFile) -> ChunkWriterOutput:
        """Writes every piece under the task's revision; a repeat writes the same chunk ids.

        Raises:
            DocumentRejected: `model_refused`.
            ModelUnavailable, IndexUnavailable, DeadlineExceeded: a retry helps.
        """
        task = job.task
        title = task.metadata.title or split.document.title
        meta: dict[str, MetaValue] = {"media_type": split.document.media_type}
        if task.metadata.language:
            meta["language"] = task.metadata.language
        pattern = Chunk(
            chunk_id="",
            document_id=task.key.document_id,
            key=task.key.object_key,
            revision=task.revision,
            ordinal=0,
            title=title,
            text="",
            access_groups=task.metadata.access_groups,
            meta=meta,
        )
        written = 0
        for done, pieces in enumerate(batched(split.pieces, BATCH_PIECES, strict=False)):
            share = done * BATCH_PIECES / len(split.pieces)
            task.progress("embed", int(FIRST_PERCENT + share * (LAST_PERCENT - FIRST_PERCENT)))
            chunks = self._embedded(task, pattern, list(pieces), written)
            task.progress("write", int(FIRST_PERCENT + share * (LAST_PERCENT - FIRST_PERCENT)))
            self._index.write(task.key.tenant, task.generation, chunks)
            written += len(chunks)
        return {
            "indexed": IndexedDocument(title=title, media_type=split.document.media_type, chunk_count=written)
        }

    def _embedded(
        self, task: IndexingTask, pattern: Chunk, pieces: list[Piece], first_ordinal: int
    ) -> list[EmbeddedChunk]:
        """One chunk for each piece; a piece that the model finds too long becomes two."""
        while True:
            chunks = _chunks(task, pattern, pieces, first_ordinal)
            try:
                vectors = self._embedder.embed_documents(
                    [chunk.embedded_text for chunk in chunks], task.deadline
                )
            except InvalidInput as refusal:
                _halve(pieces, refusal)
                continue
            return [
                EmbeddedChunk(chunk=chunk, vector=vector)
                for chunk, vector in zip(chunks, vectors, strict=True)
            ]


def _chunks(task: IndexingTask, pattern: Chunk, pieces: Sequence[Piece], first_ordinal: int) -> list[Chunk]:
    return [
        replace(
            pattern,
            chunk_id=task.key.chunk_id(task.revision, ordinal),
            ordinal=ordinal,
            text=piece.text,
            page=piece.page,
            headings=piece.headings,
        )
        for ordinal, piece in enumerate(pieces, start=first_ordinal)
    ]


def _halve(pieces: list[Piece], refusal: InvalidInput) -> None:
    """Puts two halves in the place of the piece that the model refused for its length."""
    position = int(refusal.where or 0)
    piece = pieces[position]
    if refusal.code != "text_too_long" or len(piece.text) < 2:
        raise DocumentRejected("The model refuses a part of the text.", reason="model_refused") from refusal
    pieces[position : position + 1] = [replace(piece, text=half) for half in halved(piece.text) if half]
