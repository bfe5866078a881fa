"""The Haystack pipeline behind every document: parse, clean, keep, split, embed and write."""

from typing import Any

from haystack import Pipeline
from haystack.core.errors import PipelineRuntimeError

from haylift.domain.errors import HayliftError
from haylift.pipelines.components.block_splitter import BlockSplitter
from haylift.pipelines.components.chunk_writer import ChunkWriter
from haylift.pipelines.components.document_cleaner import DocumentCleaner
from haylift.pipelines.components.document_parser import DocumentParser
from haylift.pipelines.components.indexing_values import IndexingJob
from haylift.pipelines.components.text_keeper import TextKeeper
from haylift.ports import DocumentIndex, Embedder, IndexedDocument, IndexingTask, Parser, StoredTexts
from haylift.services.splitting import SplitLimits

RECIPE_VERSION = 2
"""Raised whenever cleaning or splitting gives other chunks for the same text of the parser.

`tests/contract/drift/test_recipe.py` notices when it was forgotten.
"""


def indexing_pipeline(
    parser: Parser, texts: StoredTexts, embedder: Embedder, index: DocumentIndex, limits: SplitLimits
) -> Pipeline:
    """`parser` -> `cleaner` -> `keeper` -> `splitter` -> `writer`.

    Another component that turns a parsed file into a parsed file can stand between the first three. The
    parts of a file pass one after the other: first all of them to the keeper, then all to the writer.
    """
    pipeline = Pipeline(metadata={"name": "haylift-indexing"})
    pipeline.add_component("parser", DocumentParser(parser, texts))
    pipeline.add_component("cleaner", DocumentCleaner())
    pipeline.add_component("keeper", TextKeeper(texts))
    pipeline.add_component("splitter", BlockSplitter(limits.max_tokens, limits.overlap_tokens))
    pipeline.add_component("writer", ChunkWriter(index, embedder))
    pipeline.connect("parser.parsed", "cleaner.parsed")
    pipeline.connect("cleaner.parsed", "keeper.parsed")
    pipeline.connect("keeper.kept", "splitter.kept")
    pipeline.connect("splitter.split", "writer.split")
    return pipeline


def recipe(model: str, limits: SplitLimits, parser: str) -> str:
    """Names what the chunks of a file depend on beside its bytes; `parser` is the parser's own recipe."""
    return f"{RECIPE_VERSION};{model};{limits.max_tokens};{limits.overlap_tokens};{parser}"


class HaystackIndexingPipeline:
    """Runs an indexing pipeline (port `IndexingPipeline`).

    Args:
        pipeline: takes the job at `parser` and `writer`, gives `writer.indexed`.
        recipe: see the port; `recipe()` makes it for our own pipeline.
    """

    def __init__(self, pipeline: Pipeline, recipe: str) -> None:
        self._pipeline = pipeline
        self._recipe = recipe

    @property
    def recipe(self) -> str:
        """Changes whenever the same bytes would give other chunks or vectors."""
        return self._recipe

    def run(self, task: IndexingTask) -> IndexedDocument:
        """Parses, cleans, splits, embeds and writes; safe to repeat.

        Raises:
            DocumentRejected, ModelUnavailable, IndexUnavailable, DeadlineExceeded, OutOfTurn: as the
                port says.
        """
        job = IndexingJob(task)
        outputs = self._outputs({"parser": {"job": job}, "writer": {"job": job}})
        indexed: IndexedDocument = outputs["writer"]["indexed"]
        return indexed

    def _outputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._pipeline.run(inputs)
        except PipelineRuntimeError as error:
            if isinstance(error.__cause__, HayliftError):
                raise error.__cause__ from None
            raise
