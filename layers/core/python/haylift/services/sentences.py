"""Cuts a passage into sentences, word for word."""

import re
import unicodedata
from dataclasses import dataclass

from haylift.domain.chunks import Hit

MAX_SENTENCE_CHARS = 600
"""Longer pieces (tables, code) are no answer; the cross-encoder would cut them anyway."""

MIN_SENTENCE_WORDS = 3
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+•]|\d{1,3}[.)]|#{1,6}|\|)\s)")
_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]?[^\W_a-z])|[。！？]+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nr|vs|cf|ca|approx|etc|Fig|"
    r"Inc|Ltd|Co|Jr|Sr|Gen|Col|Rev|vol|pp|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)$"
)
_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about an and any are as at be been by can could did do does for from had has have how i "
        "if in into is it its me my no not of on or our shall should so than that the their them "
        "then there these they this to was we were what when where which who whom whose why will "
        "with would you your",
    )
)
STEM_CHARS = 5
"""Words with the same first letters count as one: `replaces`, `replaced`, `replacing`."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of a hit's text, word for word; `text` stands in `hit.chunk.text`."""

    text: str
    hit: Hit

    @property
    def with_context(self) -> str:
        """The sentence after its nearest heading, for a reader who sees nothing else."""
        chunk = self.hit.chunk
        context = chunk.headings[-1] if chunk.headings else chunk.title
        line = " ".join(self.text.split())
        return f"{context}: {line}" if context else line


def sentences(text: str) -> list[str]:
    """The sentences of a passage, in order, each word for word; fragments and overlong pieces are left out.

    >>> sentences("Dr. Key lost it. It costs 12.50 euros! Ask the\\nharbour master.")
    ['Dr. Key lost it.', 'It costs 12.50 euros!', 'Ask the\\nharbour master.']
    """
    pieces = [piece for paragraph in _PARAGRAPH.split(text) for piece in _cut(paragraph)]
    stripped = (piece.strip().lstrip("#-*+•| \t\r\n") for piece in pieces)
    return [piece for piece in stripped if _is_sentence(piece)]


def _cut(paragraph: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for end in _END.finditer(paragraph):
        before = paragraph[start : end.start()]
        if end.group() == "." and _ABBREVIATION.search(before):
            continue
        pieces.append(paragraph[start : end.end()])
        start = end.end()
    return [*pieces, paragraph[start:]]


def _is_sentence(piece: str) -> bool:
    has_words = len(_WORD.findall(piece)) >= MIN_SENTENCE_WORDS or any(
        unicodedata.east_asian_width(letter) == "W" for letter in piece[:20]
    )
    return has_words and len(piece) <= MAX_SENTENCE_CHARS


def terms(text: str) -> frozenset[str]:
    """The words that carry meaning, without case and endings.

    >>> sorted(terms("What does the Replacement of keys cost?"))
    ['cost', 'keys', 'repla']
    """
    words = (word.casefold() for word in _WORD.findall(text))
    return frozenset(word[:STEM_CHARS] for word in words if word not in _STOP_WORDS)
