"""Blocks to pieces that fit the embedding model, torn only where reading pauses."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from haylift.domain.chunks import Block
from haylift.domain.texts import BLOCK_BREAK

_TOKENS = re.compile(r"[A-Za-z]{1,6}|\d{1,2}|[^\W\d_]|[^\w\s]|_")
"""One match for each token of the estimate, so that counting is the regular expression's work."""

_SENTENCE = re.compile(r"(?:[^\n.!?。！？]+|[.!?]+(?![\s.!?]|$))*(?:[.!?]+|[。！？]+|\n|$)\s*")
"""Content up to a sign that ends a sentence (not the dot of 2.5), a line end or the end; never fails,
so that every character is in one match."""

_WORD = re.compile(r"\s*\S+\s*")
_LINE = re.compile(r"[^\n]*\n?")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A chunk's text before it has a number: one page, slide or sheet, one heading path.

    `start_char` and `end_char` are the place of its own text in that of the document. What the piece
    repeats (sentences of the piece before, a table's first line) stands before it in `text` and is not
    counted: `text` ends with the characters of that place, and without repetition it is just them.
    """

    text: str
    page: int | None
    headings: tuple[str, ...]
    slide: int | None = None
    sheet: str = ""
    is_ocr: bool = False
    start_char: int = 0
    end_char: int = 0

    def halves(self) -> tuple["Piece", "Piece"]:
        """Two pieces of about half the text, by `halved`; the first may be nothing but repetition."""
        first, second = halved(self.text)
        lead = len(self.text) - (self.end_char - self.start_char)
        ends = self.start_char + max(0, len(first) - lead)
        starts = self.start_char + max(0, len(self.text) - len(second) - lead)
        return replace(self, text=first, end_char=ends), replace(self, text=second, start_char=starts)


@dataclass(frozen=True, kw_only=True)
class SplitLimits:
    """How large a piece may be.

    Args:
        max_tokens: of a piece, by `estimated_tokens`; half of what the model reads leaves room for
            the title and headings that are embedded with it, and for the estimate's error.
        overlap_tokens: repeated from the piece before, whole sentences only.
    """

    max_tokens: int
    overlap_tokens: int


def estimated_tokens(text: str) -> int:
    """A careful guess at WordPiece tokens without the tokenizer.

    A Latin word costs one token for each begun six letters, a number one for each begun two digits,
    every other letter and every sign one. Where the guess is too low, the endpoint says so and the
    piece is halved.

    >>> estimated_tokens("Haylift indexes 2026 documents.")
    9
    """
    return len(_TOKENS.findall(text))


def split_blocks(blocks: Iterable[Block], limits: SplitLimits, *, start_char: int = 0) -> Iterator[Piece]:
    """Packs neighbouring blocks of one page (slide, sheet) and heading into pieces of at most `max_tokens`.

    Every character but white space comes out again, in order; what is repeated is overlap, or a
    table's first line above its later rows.

    Args:
        start_char: where the first block begins in the text of the document.
    """
    for (page, slide, sheet, headings, is_ocr), group in groupby(blocks, key=_place):
        packing = _Packing(limits, start_char)
        for text, starts, ends in packing.pack(group):
            yield Piece(
                text=text,
                page=page,
                slide=slide,
                sheet=sheet,
                headings=headings,
                is_ocr=is_ocr,
                start_char=starts,
                end_char=ends,
            )
        start_char = packing.next_char


def _place(block: Block) -> tuple[int | None, int | None, str, tuple[str, ...], bool]:
    return block.page, block.slide, block.sheet, block.headings, block.is_ocr


def halved(text: str) -> tuple[str, str]:
    """Two parts near the middle: between sentences, else between words, else between characters."""
    middle = len(text) // 2
    for pattern in (_SENTENCE, _WORD):
        ends = [match.end() for match in pattern.finditer(text)]
        inner = [end for end in ends if text[:end].strip() and text[end:].strip()]
        cut = min(inner, key=lambda end: abs(end - middle), default=0)
        if cut and min(cut, len(text) - cut) * 4 >= len(text):
            return text[:cut].strip(), text[cut:].strip()
    return text[:middle].strip(), text[middle:].strip()


class _Packing:
    """Fills one piece after another; `next_char` is where the next block begins in the document's text."""

    def __init__(self, limits: SplitLimits, start_char: int) -> None:
        self._limits = limits
        self.next_char = start_char
        self._lead = ""
        self._own: list[str] = []
        self._own_starts = start_char
        self._tokens = 0
        self._is_table = False

    def pack(self, blocks: Iterable[Block]) -> Iterator[tuple[str, int, int]]:
        """The pieces' texts, each with the place of its own text."""
        for block in blocks:
            head = _table_head(block, self._limits.max_tokens) if block.is_table else ""
            part_starts = self.next_char
            for position, (part, cost) in enumerate(_parts(block, self._limits.max_tokens)):
                if self._own and self._tokens + cost > self._limits.max_tokens:
                    yield from self._piece()
                    self._begin(head if position and head else self._overlap(cost), cost)
                if not self._own:
                    self._own_starts = part_starts
                self._own.append(part)
                self._tokens += cost
                self._is_table = block.is_table
                part_starts += len(part)
            self._own.append(BLOCK_BREAK)
            self.next_char += len(block.text) + len(BLOCK_BREAK)
        yield from self._piece()

    def _piece(self) -> Iterator[tuple[str, int, int]]:
        own = "".join(self._own)
        starts = self._own_starts + len(own) - len(own.lstrip())
        own = own.strip()
        if own:
            yield f"{self._lead}{own}".lstrip(), starts, starts + len(own)

    def _begin(self, lead: str, cost: int) -> None:
        lead_tokens = estimated_tokens(lead)
        fits = lead_tokens + cost <= self._limits.max_tokens
        self._lead = lead if fits else ""
        self._own = []
        self._tokens = lead_tokens if fits else 0

    def _overlap(self, cost: int) -> str:
        """The last whole sentences of the piece before; none out of a table."""
        budget = min(self._limits.overlap_tokens, self._limits.max_tokens - cost)
        if self._is_table or budget <= 0:
            return ""
        taken: list[str] = []
        for sentence in reversed(_sentences("".join((self._lead, *self._own)))):
            budget -= estimated_tokens(sentence)
            if budget < 0:
                break
            taken.insert(0, sentence)
        lead = "".join(taken)
        return lead if not lead or lead[-1].isspace() else f"{lead} "


def _parts(block: Block, max_tokens: int) -> Iterator[tuple[str, int]]:
    """The block whole, or in the largest units that fit: lines of a table, sentences, words, characters.

    Each with its tokens; together they are the block's text.
    """
    cost = estimated_tokens(block.text)
    if cost <= max_tokens:
        yield block.text, cost
        return
    for unit in _matches(_LINE, block.text) if block.is_table else _sentences(block.text):
        yield from _fitting(unit, max_tokens)


def _fitting(unit: str, max_tokens: int) -> Iterator[tuple[str, int]]:
    cost = estimated_tokens(unit)
    if cost <= max_tokens:
        yield unit, cost
        return
    words = _matches(_WORD, unit)
    if len(words) > 1:
        for word in words:
            yield from _fitting(word, max_tokens)
        return
    # No run costs more tokens than it has characters.
    for start in range(0, len(unit), max_tokens):
        part = unit[start : start + max_tokens]
        yield part, estimated_tokens(part)


def _sentences(text: str) -> list[str]:
    return _matches(_SENTENCE, text)


def _matches(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match.group() for match in pattern.finditer(text) if match.group()]


def _table_head(block: Block, max_tokens: int) -> str:
    """A table's first line, repeated above rows that come in a later piece, if it leaves them room."""
    first, separator, _ = block.text.partition("\n")
    return f"{first}\n" if separator and estimated_tokens(first) * 4 <= max_tokens else ""
