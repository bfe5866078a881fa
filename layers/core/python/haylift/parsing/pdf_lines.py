"""A PDF page's paragraphs under the headings that its letters' sizes tell."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from haylift.domain.chunks import Block
from haylift.parsing.text import paragraphs

LARGER_RATIO = 1.15
"""A heading's letters against those of most of the page: LaTeX's smallest step is 1.2, Word's 1.18."""

MAX_HEADINGS = 8
MAX_HEADING_CHARS = 120
"""A page with more or longer lines in large letters is a poster or a form: its sizes tell no sections."""


@dataclass(frozen=True)
class _Line:
    text: str
    size: float


def page_blocks(page: Any, number: int) -> Iterator[Block]:
    """The page's text in one pass over its content.

    A heading stands in the path of what follows it on the page and, as a paragraph of its own, in the
    text: sizes can mislead, and then nothing is lost. A path ends with its page, so that a page reads
    the same wherever reading was begun.

    Args:
        page: of pypdf.
        number: from 1.
    """
    told: list[tuple[str, float]] = []

    def visit(text: str, transform: Sequence[float], matrix: Sequence[float], _: Any, size: float) -> None:
        told.append((text, _shown_size(size, matrix, transform)))

    text = page.extract_text(visitor_text=visit)
    if "".join(part for part, _ in told).split() != text.split():
        yield from paragraphs(text, page=number)
        return
    path: list[_Line] = []
    for is_heading, lines in _sections(_lines(told)):
        if is_heading:
            heading = _Line(" ".join(" ".join(line.text for line in lines).split()), lines[0].size)
            path = [line for line in path if line.size > heading.size] + [heading]
        headings = tuple(line.text for line in path)
        for block in paragraphs("\n".join(line.text for line in lines)):
            yield Block(text=block.text, page=number, headings=headings)


def _shown_size(size: float, matrix: Sequence[float], transform: Sequence[float]) -> float:
    """Points on the paper, to a tenth; rotated text has its scale beside the diagonal."""
    scale = max(abs(matrix[0]), abs(matrix[1]), abs(matrix[3])) * max(
        abs(transform[0]), abs(transform[1]), abs(transform[3])
    )
    return round(abs(size) * scale, 1)


def _lines(told: Sequence[tuple[str, float]]) -> list[_Line]:
    """The lines, each with the size of most of its letters."""
    lines: list[_Line] = []
    text = ""
    sizes: Counter[float] = Counter()
    for part, size in [*told, ("\n", 0.0)]:
        *ended, rest = part.split("\n")
        for piece in ended:
            sizes[size] += len(piece.strip())
            lines.append(_Line(text + piece, sizes.most_common(1)[0][0]))
            text, sizes = "", Counter()
        text += rest
        sizes[size] += len(rest.strip())
    return lines


def _sections(lines: list[_Line]) -> Iterator[tuple[bool, list[_Line]]]:
    """Neighbouring lines that are a heading together, and those between headings."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text.strip())
    common = sizes.most_common(1)[0][0] if sizes else 0.0
    parts = [
        (size, list(group))
        for size, group in groupby(lines, key=lambda line: _heading_size(line, common * LARGER_RATIO))
    ]
    headings = [group for size, group in parts if size]
    is_told = len(headings) <= MAX_HEADINGS and all(
        sum(len(line.text) for line in group) <= MAX_HEADING_CHARS for group in headings
    )
    if not is_told:
        yield False, lines
        return
    for size, group in parts:
        yield bool(size), group


def _heading_size(line: _Line, least: float) -> float:
    """The line's size when it reads as a heading, else 0."""
    is_heading = line.size >= least > 0 and sum(map(str.isalpha, line.text)) > 2
    return line.size if is_heading else 0.0
