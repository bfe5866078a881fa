"""The component that splits blocks into pieces for the embedding model."""

from typing import TypedDict

from haystack import component

from haylift.domain.texts import TextPart
from haylift.pipelines.components.indexing_values import KeptText, SplitFile, SplitPart
from haylift.services.splitting import SplitLimits, split_blocks


class BlockSplitterOutput(TypedDict):
    """What the splitter gives."""

    split: SplitFile


@component
class BlockSplitter:
    """Splits at headings, pages, paragraphs, table rows and sentences.

    Example:
        ```python
        BlockSplitter(max_tokens=256).run(kept=kept)["split"].parts
        ```

    Args:
        max_tokens, overlap_tokens: as in `SplitLimits`.
    """

    def __init__(self, max_tokens: int = 256, overlap_tokens: int = 32) -> None:
        self.max_tokens = max_tokens
        self.overlap_tokens = overlap_tokens

    @component.output_types(split=SplitFile)
    def run(self, kept: KeptText) -> BlockSplitterOutput:
        """Splits every block of every part, as the parts are taken; no character is lost."""
        limits = SplitLimits(max_tokens=self.max_tokens, overlap_tokens=self.overlap_tokens)
        return {"split": SplitFile(last=kept.last, parts=(_split(part, limits) for part in kept.read()))}


def _split(part: TextPart, limits: SplitLimits) -> SplitPart:
    pieces = split_blocks(part.document.blocks, limits, start_char=part.start_char)
    return SplitPart(part=part, pieces=tuple(pieces))
