"""What a converter takes and gives."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from haylift.domain.chunks import Block

MAX_HEADING_CHARS = 200
"""A longer heading is text: it would crowd the piece out of the model's input."""


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file and what was said about it; only the bytes are believed.

    Args:
        path: where the bytes lie, unless they are `data`: the child writes no files.
        stem: the name without its extension.
        extension: with its dot, lower case.
        data: the bytes of a file inside another one.
        depth: how many files it is in, 0 for what was uploaded.
        ocr: whether pictures of text are read too.
        first_page: where a format with pages is begun, from 1; the others have none.
        unpacked_ratio: how many times its own bytes an archive may unpack to.
    """

    path: Path
    stem: str
    content_type: str
    extension: str = ""
    data: bytes | None = None
    depth: int = 0
    ocr: bool = False
    first_page: int = 1
    unpacked_ratio: int = 100

    def open(self) -> BinaryIO:
        """The bytes, to read and to seek in."""
        return self.path.open("rb") if self.data is None else BytesIO(self.data)

    def loaded(self) -> BytesIO:
        """The bytes in memory, for a library that reads as the blocks are made: no file stays open."""
        return BytesIO(self.read_bytes())

    def read_bytes(self) -> bytes:
        """All bytes."""
        return self.path.read_bytes() if self.data is None else self.data


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A file's title (empty: it has none) and its blocks, made one by one.

    `omissions` counts, while the blocks are made, what of the file is not in them: its `pages`,
    `attachments` and so on. What is left out without a count there is a fault.
    `page_count` is that of the whole file; 0: it has no pages. A converter of pages gives `page_end` after
    each of them, so that a long file can be kept, shown and timed page by page.
    """

    title: str
    blocks: Iterable[Block]
    omissions: Counter[str] = field(default_factory=Counter)
    page_count: int = 0


def page_end(page: int) -> Block:
    """Says that all blocks of the page were given."""
    return Block(text="", page=page)


type Converter = Callable[[SourceFile], Converted]
"""Raises `DocumentRejected`; any other exception means that the file is damaged."""


class Outline:
    """The path of headings at one place of a document.

    >>> outline = Outline()
    >>> _ = outline.enter(1, "Guide"), outline.enter(2, "Install"), outline.enter(2, "Run")
    >>> outline.path
    ('Guide', 'Run')
    """

    def __init__(self) -> None:
        self._levels: list[tuple[int, str]] = []
        self._is_empty_section = False

    @property
    def path(self) -> tuple[str, ...]:
        """The headings from the top down."""
        return tuple(text for _, text in self._levels)

    def enter(self, level: int, text: str) -> list[Block]:
        """Goes under a heading. Gives blocks for headings that would otherwise be lost: one with
        nothing under it, and one too long to be a heading."""
        text = " ".join(text.split())
        lost = self.leave() if not self._levels or self._levels[-1][0] >= level else []
        self._levels = [entry for entry in self._levels if entry[0] < level]
        if len(text) > MAX_HEADING_CHARS:
            return [*lost, self.block(text)]
        if text:
            self._levels.append((level, text))
            self._is_empty_section = True
        return lost

    def block(self, text: str, *, page: int | None = None, is_table: bool = False) -> Block:
        """A block at this place."""
        self._is_empty_section = False
        return Block(text=text, page=page, headings=self.path, is_table=is_table)

    def leave(self) -> list[Block]:
        """At the end of a section: its heading as text, if nothing stood under it."""
        if not self._is_empty_section:
            return []
        return [self.block(self._levels[-1][1])]
