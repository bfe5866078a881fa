"""A worker process of its own, to be killed: indexes one file and writes down every text that it embeds.

python -m tests.integration.ingestion.long_worker FOLDER FILE
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from time import time

from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.adapters.s3_texts import S3Texts
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Vector
from haylift.domain.documents import DocumentKey
from haylift.domain.metadata import DocumentMetadata
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.ports import IndexingTask
from haylift.resilience import Deadline
from haylift.services.splitting import SplitLimits

from tests.fakes.search import FakeModels
from tests.fakes.texts import FolderS3

LIMITS = SplitLimits(max_tokens=256, overlap_tokens=32)
PARSER = ParserLimits(time_s=60.0, memory_bytes=2**30, output_chars=20_000_000)
KEY = DocumentKey("acme", "long.pdf")
GENERATION = "g1"


class WrittenDown(FakeModels):
    """A model that writes each text's first line into a file before it answers."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        with self._log.open("a") as file:
            file.writelines(text.splitlines()[-1] + "\n" for text in texts)
        return super().embed_documents(texts, deadline)


def task(folder: Path, file: Path) -> IndexingTask:
    """The order that every worker gets."""
    shown = folder / "shown"

    def progress(stage: str, percent: int) -> None:
        with shown.open("a") as lines:
            lines.write(f"{time():.3f} {percent} {stage}\n")

    return IndexingTask(
        file=file,
        key=KEY,
        revision=1,
        generation=GENERATION,
        content_type="",
        metadata=DocumentMetadata(),
        progress=progress,
        deadline=Deadline.after(600),
        has_leftovers=shown.exists(),
    )


def main(folder: Path, file: Path) -> None:
    """Works until the end, or until it is killed."""
    texts = S3Texts("uploads", FolderS3(folder / "s3"))
    models = WrittenDown(folder / "embedded")
    index = SqliteIndex(folder / "index")
    pipeline = HaystackIndexingPipeline(
        indexing_pipeline(ParserProcess(PARSER), texts, models, index, LIMITS), recipe("words", LIMITS, "1")
    )
    indexed = pipeline.run(task(folder, file))
    (folder / "done").write_text(str(indexed.chunk_count))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
