"""What the parsing child says, line by line, and the parts that it makes."""

import json
import os
import selectors
from collections.abc import Callable, Iterator
from typing import Any

from haylift.adapters.parser_budget import Budget, limit_reached
from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.errors import REJECTION_REASONS, DocumentRejected
from haylift.domain.texts import TextPart

type Line = dict[str, Any]
"""A line of the child: the document, a block, the end of a page or the verdict."""

PART_PAGES = 50
"""Pages of one part: some seconds of parsing, 100 to 300 kB of text; what a death costs at most."""

PART_CHARS = 400_000
"""Characters after which a file without pages gets its next part."""

MAX_BYTES_PER_CHAR = 6
"""A control character as JSON writes it; UTF-8 takes 4 at most."""

LINE_BYTES = 65_536
"""Room for what a block's line holds beside its text: headings, the name of a sheet."""

READ_BYTES = 65_536


def lines_of(output: int, budget: Budget, now: Callable[[], float]) -> Iterator[Line]:
    """The child's lines as they come, until it closes its output, a descriptor.

    Raises:
        DocumentRejected: `parser_limit` when time or room is used up, `damaged` for what is no line.
        DeadlineExceeded: nobody waits any longer.
    """
    most_bytes = budget.chars_left * MAX_BYTES_PER_CHAR + LINE_BYTES
    waiting = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            began = now()
            is_readable = selector.select(timeout=budget.seconds_left)
            budget.spend(now() - began)
            if not is_readable:
                raise budget.exhausted()
            read = os.read(output, READ_BYTES)
            if not read:
                return
            *whole, rest = (waiting + read).split(b"\n")
            waiting = bytearray(rest)
            if len(waiting) > most_bytes:
                raise limit_reached()
            for line in whole:
                yield _line(bytes(line))


def _line(data: bytes) -> Line:
    """A child that a file took over can write anything, so nothing is assumed."""
    try:
        line = json.loads(data)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        raise _damaged()
    return line


def _said(verdict: Line) -> DocumentRejected:
    """The child's verdict. One that a file took over can say anything, but not name a metric's values."""
    reason = str(verdict["rejected"])
    if reason not in REJECTION_REASONS:
        return _damaged()
    return DocumentRejected(str(verdict["detail"]), reason=reason)


def _damaged() -> DocumentRejected:
    return DocumentRejected("The parser died of the file.", reason="damaged")


class Parts:
    """Cuts one child's lines into parts. `last` is the newest part that was made, or that came before.

    Args:
        after: the part that ends where the child begins.
        on_page: told the pages done and all pages.
    """

    def __init__(self, after: TextPart | None, budget: Budget, on_page: Callable[[int, int], None]) -> None:
        self.last = after
        self._budget = budget
        self._on_page = on_page
        self._blocks: list[Block] = []
        self._chars = 0
        self._page = after.last_page if after else 0
        self._page_count = 0
        self._omissions: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._head = ParsedDocument(title="", media_type="", blocks=())

    def of(self, lines: Iterator[Line]) -> Iterator[TextPart]:
        """The parts; ends early, without a last one, where the child had no memory left.

        Raises:
            DocumentRejected: the child's verdict, or `damaged` for lines that make no sense.
        """
        try:
            first = next(lines)
            if "rejected" not in first:
                self._begin(first)
                first = next(lines)
            while "end" not in first:
                if first.get("memory") is True:
                    return
                if "rejected" in first:
                    raise _said(first)
                if self._take(first):
                    yield self._part(is_last=False)
                first = next(lines)
            self._omissions = _counts(first["omissions"])
        except StopIteration:
            raise _damaged() from None
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise _damaged() from fault
        yield self._part(is_last=True)

    def _begin(self, line: Line) -> None:
        self._head = ParsedDocument(title=str(line["title"]), media_type=str(line["media_type"]), blocks=())
        self._page_count = int(line.get("page_count", 0))

    def _take(self, line: Line) -> bool:
        """Whether a part is full with this line."""
        if "page_end" not in line:
            block = _block(line)
            self._blocks.append(block)
            self._chars += len(block.text)
            return not self._page_count and self._chars >= PART_CHARS
        self._page = int(line["page_end"])
        self._omissions = _counts(line["omissions"])
        self._budget.finish_page(self._page)
        self._on_page(self._page, self._page_count)
        return self._page % PART_PAGES == 0 and self._page < self._page_count

    def _part(self, *, is_last: bool) -> TextPart:
        left_out = {kind: count - self._told.get(kind, 0) for kind, count in self._omissions.items()}
        self._told = self._omissions
        part = TextPart(
            document=ParsedDocument(
                title=self._head.title,
                media_type=self._head.media_type,
                blocks=tuple(self._blocks),
                omissions={kind: count for kind, count in left_out.items() if count},
            ),
            last_page=self._page,
            page_count=self._page_count,
            spent_s=self._budget.spent_s,
            is_last=is_last,
        )
        self._budget.add_chars(self._chars)
        self._blocks, self._chars = [], 0
        self.last = part
        return part


def _counts(omissions: dict[str, Any]) -> dict[str, int]:
    return {str(kind): int(count) for kind, count in omissions.items()}


def _block(line: Line) -> Block:
    return Block(
        text=str(line["text"]),
        page=None if line["page"] is None else int(line["page"]),
        slide=None if line["slide"] is None else int(line["slide"]),
        sheet=str(line["sheet"]),
        headings=tuple(map(str, line["headings"])),
        is_table=bool(line["is_table"]),
        is_ocr=bool(line["is_ocr"]),
    )
