"""Rich text by striprtf: paragraphs and table rows."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from striprtf.striprtf import rtf_to_text

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.text import paragraphs

_PICTURE = re.compile(rb"[0-9a-fA-F\r\n]{2048,}")
"""Pictures and embedded objects are long runs of digits; striprtf would look at each."""

_TITLE = re.compile(rb"\{\\title\s([^{}]*)\}")
_FOOTNOTE = re.compile(rb"\\footnote\b")


def convert(source: SourceFile) -> Converted:
    """The text; its title is the property. Footnotes, which striprtf leaves out, are counted.

    Raises:
        DocumentRejected: `damaged` when its last group is not closed.
    """
    data = source.read_bytes()
    if not data.rstrip(b"\0\r\n\t ").endswith(b"}"):
        raise DocumentRejected("The end of the rich text is missing.", reason="damaged")
    named = _TITLE.search(data)
    code_page = re.search(rb"\\ansicpg\d+", data)
    opening = b"{\\rtf1" + (code_page.group() if code_page else b"")
    return Converted(
        title=_text(opening + b" " + named.group(1) + b"}") if named else "",
        blocks=_blocks(_text(_PICTURE.sub(b"", data))),
        omissions=Counter(footnotes=len(_FOOTNOTE.findall(data))),
    )


def _text(data: bytes) -> str:
    text = str(rtf_to_text(data.decode("latin-1"), errors="replace"))  # type: ignore[no-untyped-call]
    # A character beyond 16 bits is written as two halves.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()


def _blocks(text: str) -> Iterator[Block]:
    """Each line is a paragraph; lines of cells that follow one another are a table."""
    for is_row, lines in groupby(text.splitlines(), key=lambda line: line.rstrip().endswith("|")):
        if is_row:
            rows = [" | ".join(cell.strip() for cell in line.rstrip().split("|")[:-1]) for line in lines]
            yield Block(text="\n".join(rows), is_table=True)
        else:
            yield from paragraphs("\n\n".join(lines))
