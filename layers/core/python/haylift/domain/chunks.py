"""Text on its way from a file to a search result."""

import hashlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

type Vector = array[float]
"""A unit-length embedding, `(dimensions,)` float32 (`array("f")`): bytes for a store, a view for numpy."""

type MetaValue = str | int | float | bool | list[str]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A piece of a parsed document that must not be torn needlessly: a paragraph, a table, a list.

    `page` and `slide` count from 1; `sheet` is a table sheet's name; `headings` is the path from the top
    heading down; `is_ocr` says that it was read off a picture.
    """

    text: str
    page: int | None = None
    slide: int | None = None
    sheet: str = ""
    headings: tuple[str, ...] = ()
    is_table: bool = False
    is_ocr: bool = False

    @property
    def ends_page(self) -> bool:
        """True for a converter's sign that a page is done, which has no text."""
        return self.page is not None and not self.text


@dataclass(frozen=True, kw_only=True)
class ParsedDocument:
    """What a parser makes of a file.

    `omissions` counts what could not be read, by kind in the plural (`pages`, `attachments`): what is
    left out must be told.
    """

    title: str
    media_type: str
    blocks: tuple[Block, ...]
    omissions: Mapping[str, int] = field(default_factory=dict)

    @property
    def partial_detail(self) -> str:
        """What is left out, as people read it; empty when nothing is.

        >>> ParsedDocument(title="", media_type="", blocks=(), omissions={"pages": 2}).partial_detail
        '2 pages'
        """
        return ", ".join(f"{count} {kind}" for kind, count in sorted(self.omissions.items()) if count)


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What is indexed and found. `access_groups` empty: everybody in the tenant may read it.

    `start_char` and `end_char` are where its own text, without what is repeated from elsewhere, lies in
    the stored text of the document (`haylift.domain.texts`); both 0: it was indexed before that was known.
    """

    chunk_id: str
    document_id: str
    key: str
    revision: int
    ordinal: int
    title: str
    text: str
    page: int | None = None
    slide: int | None = None
    sheet: str = ""
    headings: tuple[str, ...] = ()
    start_char: int = 0
    end_char: int = 0
    access_groups: frozenset[str] = frozenset()
    meta: dict[str, MetaValue] = field(default_factory=dict)

    def place_of(self, quote: str) -> tuple[int, int] | None:
        """Where a part of the chunk stands in the stored text.

        None: not known, or only where the chunk repeats other text.

        >>> chunk = Chunk(chunk_id="", document_id="", key="", revision=1, ordinal=1, title="",
        ...               text="Repeated. Its own.", start_char=100, end_char=108)
        >>> chunk.place_of("own"), chunk.place_of("Repeated")
        ((104, 107), None)
        """
        first_own = len(self.text) - (self.end_char - self.start_char)
        found = self.text.find(quote, first_own) if self.end_char else -1
        if found < 0:
            return None
        starts = self.start_char + found - first_own
        return starts, starts + len(quote)

    @property
    def embedded_text(self) -> str:
        """The text that the model sees: title and headings give a short chunk its subject."""
        context = " > ".join(dict.fromkeys(part for part in (self.title, *self.headings) if part))
        return f"{context}\n{self.text}" if context else self.text

    @property
    def embedded_digest(self) -> bytes:
        """SHA-256 of that text, 32 bytes: chunks of one digest have one vector, of the same model."""
        return hashlib.sha256(self.embedded_text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class EmbeddedChunk:
    """A chunk with its vector."""

    chunk: Chunk
    vector: Vector


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A chunk that a search found. Scores: higher is better; ranks count from 1, None: not in that leg.

    `expires_at` is when nobody may see it any more, epoch seconds; 0: never.
    """

    chunk: Chunk
    score: float
    keyword_rank: int | None = None
    semantic_rank: int | None = None
    keyword_score: float | None = None
    semantic_score: float | None = None
    expires_at: int = 0

    def with_score(self, score: float) -> "Hit":
        """The same hit under another score."""
        return replace(self, score=score)


@dataclass(frozen=True, kw_only=True)
class Legs:
    """Both legs of one retrieval, best first; a leg that was not asked for is empty."""

    keyword: tuple[Hit, ...] = ()
    semantic: tuple[Hit, ...] = ()
