"""Reads pictures of text: pages drawn by pypdfium2, read by RapidOCR with the models of its wheel.

Optional: the packages of requirements/ocr.txt. Nothing is downloaded, nothing is written.
"""

from collections.abc import Iterator
from typing import Any

import pypdfium2
from rapidocr import RapidOCR

DOTS_PER_INCH = 150
"""Letters of 8 points are 17 dots high, of which the models need about 10; twice as many dots do not fit into
the parser's 1 GiB."""

MAX_SIDE_DOTS = 1_800
"""A larger sheet is drawn smaller."""

PARAGRAPH_GAP_RATIO = 0.8
"""Space between two lines, in heights of a line, above which a new paragraph begins."""

_ENGINE = {
    "Global.log_level": "critical",
    # Scans stand upright or are turned as a whole, which pypdfium2 knows.
    "Global.use_cls": False,
    # One line of text after another: six at once need more memory than the parser has.
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class PictureReader:
    """The pages of one PDF as text.

    Args:
        data: the file.
    """

    def __init__(self, data: bytes) -> None:
        self._document = pypdfium2.PdfDocument(data)
        self._engine = RapidOCR(params=_ENGINE)

    def text(self, number: int) -> str:
        """What is read on page `number`, from 1: lines, paragraphs between empty ones.

        Raises:
            MemoryError: the page does not fit into the parser's memory.
        """
        page = self._document[number - 1]
        scale = min(DOTS_PER_INCH / 72, MAX_SIDE_DOTS / max(page.get_size()))
        try:
            found = self._engine(page.render(scale=scale).to_numpy())
        except Exception as fault:
            if "bad_alloc" in str(fault):
                raise MemoryError from fault
            raise
        if found.boxes is None or found.txts is None:
            return ""
        return "\n".join(_spaced(zip(found.boxes.tolist(), found.txts, strict=True)))


def _spaced(found: Any) -> Iterator[str]:
    """The lines, with an empty one where the page has a gap. A box is four corners `(x, y)`."""
    below = None
    for box, text in found:
        top, bottom = min(y for _, y in box), max(y for _, y in box)
        if below is not None and top - below > (bottom - top) * PARAGRAPH_GAP_RATIO:
            yield ""
        below = bottom
        yield text
