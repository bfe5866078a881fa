"""Rows of cells as table blocks that keep their header."""

from collections.abc import Iterable, Iterator, Sequence

from haylift.domain.chunks import Block

ROWS_PER_BLOCK = 200
"""A longer table comes in several blocks, so that no line of the parser's answer grows without end."""


def cell_text(value: object) -> str:
    """A cell on one line."""
    return "" if value is None else " ".join(str(value).split())


def table_blocks(rows: Iterable[Sequence[str]], *, sheet: str = "") -> Iterator[Block]:
    """The tables among the rows, parted by empty rows; each block begins with its table's first row.

    Lines of one cell above a wider row are a caption and become text.

    >>> [block.text for block in table_blocks([["Prices"], ["item", "cost"], ["key", "12"]])]
    ['Prices', 'item | cost\\nkey | 12']
    """
    table = _Table(sheet)
    for row in rows:
        yield from table.add([cell_text(cell) for cell in row])
    yield from table.end()


class _Table:
    """One table after the other."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._lines: list[str] = []
        self._head: list[str] = []

    def add(self, cells: list[str]) -> Iterator[Block]:
        """Takes a row; gives what it completes."""
        while cells and not cells[-1]:
            cells.pop()
        line = " | ".join(cells)
        if not cells:
            yield from self.end()
        elif sum(map(bool, cells)) > 1 and not self._head:
            yield from self.end()
            self._head = [line]
            self._lines = [line]
        else:
            if len(self._lines) >= ROWS_PER_BLOCK:
                yield self._block()
                self._lines = list(self._head)
            self._lines.append(line)

    def end(self) -> Iterator[Block]:
        """Gives the rows that are left."""
        if self._lines:
            yield self._block()
        self._lines, self._head = [], []

    def _block(self) -> Block:
        return Block(text="\n".join(self._lines), sheet=self._sheet, is_table=bool(self._head))
