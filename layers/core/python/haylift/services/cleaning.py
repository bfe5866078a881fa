"""Parsed text without what only disturbs: control characters, odd line ends, composed twice."""

import re
import unicodedata
from dataclasses import replace

from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.metadata import MAX_TITLE_CHARS

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ufeff\ufffe\uffff\ud800-\udfff]")
_FORMS = re.compile("[\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]+")
"""Ligatures, and Hebrew and Arabic letters by their place in the word, as PDF files name their glyphs: nobody
types them into a search."""

_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TRAILING = re.compile(r"(?<![ \t])[ \t]++(?=\n)")
"""Tried once for each run of spaces: tried at each space, 2 MB of them take hours."""

_LONG_MARKS = re.compile(r"[^\w\s]{31,}+")
"""Where more accents may follow each other than any letter has."""

MAX_MARKS = 30
"""Of accents in a row (Unicode Standard Annex #15, "Stream-Safe Text Format"): putting a run in order takes
time by the square of its length, 200 kB of accents a minute."""

_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER, which stands between such runs and is not seen."""

_BLANK_LINES = re.compile(r"\n{3,}")


def clean_document(document: ParsedDocument) -> ParsedDocument:
    """The document with clean text; blocks without any text are left out."""
    blocks = tuple(clean_block(block) for block in document.blocks)
    return replace(
        document,
        title=" ".join(clean_text(document.title).split())[:MAX_TITLE_CHARS],
        blocks=tuple(block for block in blocks if block.text),
    )


def clean_block(block: Block) -> Block:
    """One block with clean text and headings."""
    headings = (" ".join(clean_text(heading).split()) for heading in block.headings)
    return replace(
        block, text=clean_text(block.text), headings=tuple(heading for heading in headings if heading)
    )


def clean_text(text: str) -> str:
    """Composed letters (NFC), no glyphs, `\\n` as the only line end, no control characters or soft hyphens.

    >>> clean_text("a\\r\\nb\\x00")
    'a\\nb'
    """
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    text = _FORMS.sub(lambda forms: unicodedata.normalize("NFKC", forms.group()), text)
    text = _TRAILING.sub("", unicodedata.normalize("NFC", _LONG_MARKS.sub(_parted, text)))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _parted(run: re.Match[str]) -> str:
    parts: list[str] = []
    count = 0
    for letter in run.group():
        count = count + 1 if unicodedata.combining(letter) else 0
        if count > MAX_MARKS:
            parts.append(_JOINER)
            count = 1
        parts.append(letter)
    return "".join(parts)
