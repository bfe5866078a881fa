"""A plain indexing pipeline in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import batched

from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.errors import DeadlineExceeded, DocumentRejected
from haylift.ports.ingestion import IndexedDocument, IndexingTask
from haylift.ports.search import DocumentIndex

from tests.fakes.search import word_vector


@dataclass
class LinesPipeline:
    """`IndexingPipeline` that writes each line as a chunk, in batches of two; `bad` in it is a verdict.

    Lines that are stored are not written again; the time is over after `most_writes` batches.
    """

    index: DocumentIndex
    recipe: str = "lines"
    fault: Callable[[], Exception | None] = lambda: None
    runs: int = 0
    most_writes: int = 1_000

    def run(self, task: IndexingTask) -> IndexedDocument:
        self.runs += 1
        if fault := self.fault():
            raise fault
        lines = task.file.read_text().splitlines()
        if "bad" in lines:
            raise DocumentRejected("The file is bad.", reason="damaged")
        stored = self.index.stored_chunk_ids(
            task.key.tenant, task.generation, task.key.document_id, revision=task.revision
        )
        chunks = [self._chunk(task, ordinal, line) for ordinal, line in enumerate(lines)]
        missing = [each for each in chunks if each.chunk.chunk_id not in stored]
        for count, pair in enumerate(batched(missing, 2, strict=False)):
            if count == self.most_writes:
                raise DeadlineExceeded("The time is over.")
            task.progress("write", count)
            self.index.write(task.key.tenant, task.generation, pair)
        return IndexedDocument(title=task.key.path, media_type="text/plain", chunk_count=len(lines))

    def _chunk(self, task: IndexingTask, ordinal: int, line: str) -> EmbeddedChunk:
        chunk = Chunk(
            chunk_id=task.key.chunk_id(task.revision, ordinal),
            document_id=task.key.document_id,
            key=task.key.object_key,
            revision=task.revision,
            ordinal=ordinal,
            title=task.key.path,
            text=line,
            access_groups=task.metadata.access_groups,
        )
        return EmbeddedChunk(chunk=chunk, vector=word_vector(line))
