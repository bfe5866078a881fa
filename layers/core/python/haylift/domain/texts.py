"""The text of a document as it is kept beside the file: parts of blocks, and where they lie."""

from collections.abc import Iterable
from dataclasses import dataclass

from haylift.domain.chunks import Block, ParsedDocument

TEXTS_PREFIX = "text/"
BLOCK_BREAK = "\n\n"
"""Stands between two blocks of a text, also where one part ends and the next begins."""


@dataclass(frozen=True, kw_only=True)
class TextPlace:
    """Where the parts of one text lie: `text/<tenant>/<document_id>/<revision>/<digest>/`.

    `digest` names the bytes and the way to read them, so that parts of other bytes are never mistaken.
    """

    tenant: str
    document_id: str
    revision: int
    digest: str

    @property
    def prefix(self) -> str:
        """The beginning of its parts' keys."""
        return f"{documents_texts(self.tenant, self.document_id)}{self.revision}/{self.digest}/"

    def key(self, number: int) -> str:
        """The key of one part.

        >>> TextPlace(tenant="acme", document_id="d", revision=3, digest="0f").key(12)
        'text/acme/d/3/0f/00012.jsonl.gz'
        """
        return f"{self.prefix}{number:05d}.jsonl.gz"


def documents_texts(tenant: str, document_id: str) -> str:
    """The beginning of the keys of all texts of a document."""
    return f"{TEXTS_PREFIX}{tenant}/{document_id}/"


@dataclass(frozen=True, kw_only=True)
class TextPart:
    """A run of a document's blocks: some pages, or a stretch of a file without pages.

    Args:
        document: title and media type of the whole, blocks and omissions of this part.
        number: from 0.
        start_char: where its first block begins in the text of the document, which is the text of all
            blocks with `BLOCK_BREAK` between them.
        last_page, page_count: how far the file is read, and how far it goes; 0: it has no pages.
        spent_s: what it took to parse the file up to here.
        is_last: whether the file ends here.
    """

    document: ParsedDocument
    number: int = 0
    start_char: int = 0
    last_page: int = 0
    page_count: int = 0
    spent_s: float = 0.0
    is_last: bool = True

    @property
    def end_char(self) -> int:
        """Where its last block ends; `start_char` when it has none."""
        return self.start_char + len(text_of(self.document.blocks))

    @property
    def next_start_char(self) -> int:
        """Where the next part's first block begins."""
        return self.end_char + len(BLOCK_BREAK) if self.document.blocks else self.start_char


def text_of(blocks: Iterable[Block]) -> str:
    """The blocks' text as chunks' places count it.

    >>> text_of([Block(text="One."), Block(text="Two.")])
    'One.\\n\\nTwo.'
    """
    return BLOCK_BREAK.join(block.text for block in blocks)
