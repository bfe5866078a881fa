"""JSON lines: each record under its number, small ones together; a line that is no JSON is kept as text."""

from collections.abc import Iterator

from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.json import blocks, parse, small_lines


def convert(source: SourceFile) -> Converted:
    """The records in their order; they have no title in common."""
    return Converted(title="", blocks=_records(decode(source.read_bytes()).removeprefix("\ufeff")))


def _records(text: str) -> Iterator[Block]:
    # Not `splitlines`: JSON may hold U+2028 and U+0085 inside a string.
    for number, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        try:
            record = parse(line)
        except ValueError:
            yield Block(text=line.strip())
        else:
            yield from blocks(record, () if small_lines(record) is not None else (f"[{number}]",))
