"""Tables of separated values: comma, semicolon, tab or bar; the header stays with each group of rows."""

import csv
import sys
from collections.abc import Iterator

from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.recognition import SNIFFED_BYTES, dialect
from haylift.parsing.table_rows import table_blocks

_SEP_LINE = "sep="
"""What Excel takes as a note about the delimiter, and writes for it."""


def convert(source: SourceFile) -> Converted:
    """The table's rows; it has no title."""
    return Converted(title="", blocks=_blocks(decode(source.read_bytes()).removeprefix("\ufeff")))


def _blocks(text: str) -> Iterator[Block]:
    first, _, rest = text.partition("\n")
    if first.lower().startswith(_SEP_LINE) and len(first.strip()) == len(_SEP_LINE) + 1:
        delimiter, text = first.strip()[-1], rest
    else:
        delimiter = dialect(text[:SNIFFED_BYTES]) or ","
    # A cell may be as long as the file: its size is limited already.
    csv.field_size_limit(sys.maxsize)
    yield from table_blocks(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
