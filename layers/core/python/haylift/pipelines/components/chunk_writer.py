"""The component that embeds pieces and writes them as chunks."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TypedDict

from haystack import component

from haylift.domain.chunks import Chunk, EmbeddedChunk, MetaValue, ParsedDocument, Vector
from haylift.domain.errors import DocumentRejected, InvalidInput
from haylift.domain.texts import TextPart
from haylift.pipelines.components.indexing_values import IndexingJob, SplitFile
from haylift.ports import DocumentIndex, Embedder, IndexedDocument, IndexingTask
from haylift.services.parts import Part, stored_parts
from haylift.services.patience import CALL_TEXTS, PatientEmbedder
from haylift.services.splitting import Piece

FIRST_PERCENT, LAST_PERCENT = 20, 90
SHOW_EVERY_S = 2.0
"""Before each write the ledger is asked whose turn it is; between, a sign of life in this time is enough."""


class Progress:
    """Shows how far the pieces of a text have come.

    Args:
        last: the text's last part.
        now: a clock, seconds.
    """

    def __init__(self, task: IndexingTask, last: TextPart, *, now: Callable[[], float]) -> None:
        self._task = task
        self._last = last
        self._now = now
        self._shown_at = float("-inf")

    def __call__(self, stage: str, piece: Piece) -> None:
        """Shows the piece's place; raises what `IndexingTask.progress` raises."""
        self._shown_at = self._now()
        share = piece.start_char / max(1, self._last.end_char)
        if piece.page is not None and self._last.number:
            stage = f"{stage} page {piece.page} of {self._last.page_count}"
        self._task.progress(stage, int(FIRST_PERCENT + share * (LAST_PERCENT - FIRST_PERCENT)))

    def lately(self, stage: str, piece: Piece) -> None:
        """The same, unless something was shown a moment ago."""
        if self._now() - self._shown_at >= SHOW_EVERY_S:
            self(stage, piece)


class ChunkWriterOutput(TypedDict):
    """What the writer gives."""

    indexed: IndexedDocument


@component
class ChunkWriter:
    """Embeds and writes inside one component, so that no vector crosses an edge.

    What an earlier attempt has written of the same revision is not embedded again, nor is a text that
    the live revision has, with the vector of this model. Each write holds the texts of one call of the
    model, so an attempt that ends early loses one call at most.

    Example:
        ```python
        ChunkWriter(index=index, embedder=embedder).run(job=IndexingJob(task), split=split)["indexed"]
        ```

    Args:
        index: where the chunks go.
        embedder: makes their vectors.
        now: a clock, seconds.
    """

    def __init__(
        self, index: DocumentIndex, embedder: Embedder, now: Callable[[], float] = monotonic
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._now = now

    @component.output_types(indexed=IndexedDocument)
    def run(self, job: IndexingJob, split: SplitFile) -> ChunkWriterOutput:
        """Writes every piece under the task's revision; a repeat writes the same chunk ids.

        Raises:
            DocumentRejected: `model_refused`.
            ModelUnavailable, IndexUnavailable, DeadlineExceeded: a retry helps, and goes on from here.
        """
        task = job.task
        head = split.last.document
        pattern = _pattern(task, head)
        stored = self._index.stored_chunk_ids(
            task.key.tenant, task.generation, task.key.document_id, revision=task.revision
        )
        known = self._known_vectors(task)
        show = Progress(task, split.last, now=self._now)
        count = position = 0
        omissions: Counter[str] = Counter()
        for split_part in split.parts:
            omissions.update(split_part.part.document.omissions)
            for kept, parts in _runs(task, split_part.pieces, stored, position):
                count += kept
                for chunks in self._embedded(task, pattern, parts, show, known):
                    numbered = [
                        replace(each, chunk=replace(each.chunk, ordinal=ordinal))
                        for ordinal, each in enumerate(chunks, start=count)
                    ]
                    self._index.write(task.key.tenant, task.generation, numbered)
                    count += len(numbered)
            position += len(split_part.pieces)
        return {
            "indexed": IndexedDocument(
                title=pattern.title,
                media_type=head.media_type,
                chunk_count=count,
                partial_detail=replace(head, omissions=omissions).partial_detail,
                model=self._embedder.model,
            )
        }

    def _known_vectors(self, task: IndexingTask) -> Mapping[bytes, Vector]:
        if not task.live_revision or task.live_model != self._embedder.model:
            return {}
        return self._index.stored_vectors(
            task.key.tenant, task.generation, task.key.document_id, revision=task.live_revision
        )

    def _embedded(
        self,
        task: IndexingTask,
        pattern: Chunk,
        parts: list[Part],
        show: Progress,
        known: Mapping[bytes, Vector],
    ) -> Iterator[list[EmbeddedChunk]]:
        """A chunk for each part, those of one call after the other; a part that is too long becomes two."""
        embedder = PatientEmbedder(
            self._embedder, task.deadline, on_wait=lambda: show("embed", parts[0].piece)
        )
        while parts:
            show.lately("embed", parts[0].piece)
            chunks, found = _alike([_chunk(task, pattern, part) for part in parts[:CALL_TEXTS]], known)
            if found:
                show("write", parts[0].piece)
                del parts[: len(found)]
                yield found
                continue
            try:
                vectors = embedder.embed_first([chunk.embedded_text for chunk in chunks])
            except InvalidInput as refusal:
                _halve(parts, refusal)
                continue
            show("write", parts[0].piece)
            del parts[: len(vectors)]
            yield [
                EmbeddedChunk(chunk=chunk, vector=vector)
                for chunk, vector in zip(chunks, vectors, strict=False)
            ]


def _alike(chunks: Sequence[Chunk], known: Mapping[bytes, Vector]) -> tuple[list[Chunk], list[EmbeddedChunk]]:
    """The first chunks, up to where this changes: all without a known vector or all with one."""
    fresh: list[Chunk] = []
    found: list[EmbeddedChunk] = []
    for chunk in chunks:
        vector = known.get(chunk.embedded_digest) if known else None
        if (found and vector is None) or (fresh and vector is not None):
            break
        if vector is None:
            fresh.append(chunk)
        else:
            found.append(EmbeddedChunk(chunk=chunk, vector=vector))
    return fresh, found


def _pattern(task: IndexingTask, head: ParsedDocument) -> Chunk:
    """What all chunks of the document share."""
    meta: dict[str, MetaValue] = {**task.metadata.attributes, "media_type": head.media_type}
    if task.metadata.language:
        meta["language"] = task.metadata.language
    return Chunk(
        chunk_id="",
        document_id=task.key.document_id,
        key=task.key.object_key,
        revision=task.revision,
        ordinal=0,
        title=task.metadata.title or head.title,
        text="",
        access_groups=task.metadata.access_groups,
        meta=meta,
    )


def _chunk(task: IndexingTask, pattern: Chunk, part: Part) -> Chunk:
    """The part's chunk, without its ordinal."""
    return replace(
        pattern,
        chunk_id=task.key.chunk_id(task.revision, part.position, part.path),
        text=part.piece.text,
        page=part.piece.page,
        slide=part.piece.slide,
        sheet=part.piece.sheet,
        headings=part.piece.headings,
        start_char=part.piece.start_char,
        end_char=part.piece.end_char,
        meta=pattern.meta | {"ocr": True} if part.piece.is_ocr else pattern.meta,
    )


def _runs(
    task: IndexingTask, pieces: Sequence[Piece], stored: Set[str], first: int
) -> Iterator[tuple[int, list[Part]]]:
    """Neighbouring pieces that are to be embedded, and the number of stored chunks before them."""
    kept = 0
    parts: list[Part] = []
    for position, piece in enumerate(pieces, start=first):
        found = stored_parts(stored, partial(task.key.chunk_id, task.revision, position))
        if found and parts:
            yield kept, parts
            kept, parts = 0, []
        if found:
            kept += found
        else:
            parts.append(Part(position=position, piece=piece))
    yield kept, parts


def _halve(parts: list[Part], refusal: InvalidInput) -> None:
    """Puts two halves in the place of the part that the model refused for its length."""
    position = int(refusal.where or 0)
    part = parts[position]
    if refusal.code != "text_too_long" or len(part.piece.text) < 2:
        raise DocumentRejected("The model refuses a part of the text.", reason="model_refused") from refusal
    parts[position : position + 1] = part.halves()
