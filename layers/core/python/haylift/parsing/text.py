"""Plain text: paragraphs between blank lines."""

import re
from collections.abc import Iterator

from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.decoding import decode

_BLANK_LINE = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def convert(source: SourceFile) -> Converted:
    """Text in any common encoding; it has no title."""
    return Converted(title="", blocks=paragraphs(decode(source.read_bytes())))


def paragraphs(text: str, page: int | None = None) -> Iterator[Block]:
    """A block for each paragraph."""
    for paragraph in _BLANK_LINE.split(text.replace("\r\n", "\n").replace("\r", "\n")):
        if paragraph.strip():
            yield Block(text=paragraph.strip(), page=page)
