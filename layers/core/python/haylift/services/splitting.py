"""Blocks to pieces that fit the embedding model, torn only where reading pauses."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from haylift.domain.chunks import Block

_TOKENS = re.compile(r"[A-Za-z]+|\d+|[^\W\d_]|[^\w\s]|_")
_SENTENCE = re.compile(r"(?:[^\n.!?。！？]+|[.!?]+(?![\s.!?]|$))*(?:[.!?]+|[。！？]+|\n|$)\s*")
"""Content up to a sign that ends a sentence (not the dot of 2.5), a line end or the end; never fails,
so that every character is in one match."""

_WORD = re.compile(r"\S+\s*")
_LINE = re.compile(r"[^\n]*\n?")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A chunk's text before it has a number: one page, slide or sheet, one heading path."""

    text: str
    page: int | None
    headings: tuple[str, ...]
    slide: int | None = None
    sheet: str = ""


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
    return sum(_cost(match.group()) for match in _TOKENS.finditer(text))


def _cost(run: str) -> int:
    if run.isascii() and run.isalpha():
        return (len(run) + 5) // 6
    return (len(run) + 1) // 2 if run.isdigit() else 1


def split_blocks(blocks: Iterable[Block], limits: SplitLimits) -> Iterator[Piece]:
    """Packs neighbouring blocks of one page (slide, sheet) and heading into pieces of at most `max_tokens`.

    Every character but white space comes out again, in order; what is repeated is overlap, or a
    table's first line above its later rows.
    """
    for (page, slide, sheet, headings), group in groupby(blocks, key=_place):
        for text in _Packing(limits).pack(group):
            yield Piece(text=text, page=page, slide=slide, sheet=sheet, headings=headings)


def _place(block: Block) -> tuple[int | None, int | None, str, tuple[str, ...]]:
    return block.page, block.slide, block.sheet, block.headings


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
    """Fills one piece after another."""

    def __init__(self, limits: SplitLimits) -> None:
        self._limits = limits
        self._parts: list[str] = []
        self._tokens = 0
        self._is_table = False

    def pack(self, blocks: Iterable[Block]) -> Iterator[str]:
        for block in blocks:
            head = _table_head(block, self._limits.max_tokens) if block.is_table else ""
            for position, part in enumerate(_parts(block, self._limits.max_tokens)):
                cost = estimated_tokens(part)
                if self._parts and self._tokens + cost > self._limits.max_tokens:
                    yield self._text()
                    lead = head if position and head else self._overlap(cost)
                    self._start(lead, cost)
                self._parts.append(part)
                self._tokens += cost
                self._is_table = block.is_table
            self._parts.append("\n\n")
        if self._text():
            yield self._text()

    def _text(self) -> str:
        return "".join(self._parts).strip()

    def _start(self, lead: str, cost: int) -> None:
        lead_tokens = estimated_tokens(lead)
        fits = lead_tokens + cost <= self._limits.max_tokens
        self._parts = [lead] if lead and fits else []
        self._tokens = lead_tokens if fits else 0

    def _overlap(self, cost: int) -> str:
        """The last whole sentences of the piece before; none out of a table."""
        budget = min(self._limits.overlap_tokens, self._limits.max_tokens - cost)
        if self._is_table or budget <= 0:
            return ""
        taken: list[str] = []
        for sentence in reversed(_sentences("".join(self._parts))):
            budget -= estimated_tokens(sentence)
            if budget < 0:
                break
            taken.insert(0, sentence)
        lead = "".join(taken)
        return lead if not lead or lead[-1].isspace() else f"{lead} "


def _parts(block: Block, max_tokens: int) -> Sequence[str]:
    """The block whole, or in the largest units that fit: lines of a table, sentences, words, characters."""
    if estimated_tokens(block.text) <= max_tokens:
        return (block.text,)
    units = _matches(_LINE, block.text) if block.is_table else _sentences(block.text)
    return [part for unit in units for part in _fitting(unit, max_tokens)]


def _fitting(unit: str, max_tokens: int) -> Iterator[str]:
    if estimated_tokens(unit) <= max_tokens:
        yield unit
        return
    words = _matches(_WORD, unit)
    if len(words) > 1:
        for word in words:
            yield from _fitting(word, max_tokens)
        return
    # No run costs more tokens than it has characters.
    for start in range(0, len(unit), max_tokens):
        yield unit[start : start + max_tokens]


def _sentences(text: str) -> list[str]:
    return _matches(_SENTENCE, text)


def _matches(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match.group() for match in pattern.finditer(text) if match.group()]


def _table_head(block: Block, max_tokens: int) -> str:
    """A table's first line, repeated above rows that come in a later piece, if it leaves them room."""
    first, separator, _ = block.text.partition("\n")
    return f"{first}\n" if separator and estimated_tokens(first) * 4 <= max_tokens else ""
