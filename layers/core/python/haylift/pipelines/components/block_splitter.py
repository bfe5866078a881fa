"""The component that splits blocks into pieces for the embedding model."""

from typing import TypedDict

from haystack import component

from haylift.pipelines.components.indexing_values import ParsedFile, SplitFile
from haylift.services.splitting import SplitLimits, split_blocks


class BlockSplitterOutput(TypedDict):
    """What the splitter gives."""

    split: SplitFile


@component
class BlockSplitter:
    """Splits at headings, pages, paragraphs, table rows and sentences.

    Example:
        ```python
        BlockSplitter(max_tokens=256).run(parsed=ParsedFile(document))["split"].pieces
        ```

    Args:
        max_tokens, overlap_tokens: as in `SplitLimits`.
    """

    def __init__(self, max_tokens: int = 256, overlap_tokens: int = 32) -> None:
        self.max_tokens = max_tokens
        self.overlap_tokens = overlap_tokens

    @component.output_types(split=SplitFile)
    def run(self, parsed: ParsedFile) -> BlockSplitterOutput:
        """Splits every block; no character is lost."""
        limits = SplitLimits(max_tokens=self.max_tokens, overlap_tokens=self.overlap_tokens)
        pieces = tuple(split_blocks(parsed.document.blocks, limits))
        return {"split": SplitFile(parsed.document, pieces)}
