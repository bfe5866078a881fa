"""How files become text, and where that text is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from haylift.domain.documents import DocumentKey
from haylift.domain.texts import TextPart, TextPlace
from haylift.resilience import Deadline


@dataclass(frozen=True, kw_only=True)
class ParserOrder:
    """A file to parse, or the rest of it.

    Args:
        file: the bytes, on this machine.
        content_type: as the object says; a hint, the bytes decide.
        deadline: when it is over, what is parsed so far stands and the rest is left to a later order.
        after: the part after which to begin; None: at the beginning.
        on_page: called with the pages done and all pages, whenever one is done.
    """

    file: Path
    key: DocumentKey
    content_type: str
    deadline: Deadline
    after: TextPart | None = None
    on_page: Callable[[int, int], None] = lambda _done, _all: None


class Parser(Protocol):
    """Files to text, away from this process."""

    @property
    def recipe(self) -> str:
        """Changes whenever the same bytes would give other text or other parts."""

    def parts(self, order: ParserOrder) -> Iterator[TextPart]:
        """Parses within limits of time, memory and output, part by part; never cuts silently.

        The parts have no number and no place yet; the last one says that it is the last.

        Raises:
            DocumentRejected: a verdict about the file.
            DeadlineExceeded: the order's deadline is over; the parts that came are whole.
        """


class StoredTexts(Protocol):
    """The texts of documents beside their files. All methods raise `StoreUnavailable`."""

    def put(self, place: TextPlace, part: TextPart) -> None:
        """Keeps a part under its number; safe to repeat."""

    def get(self, place: TextPlace, number: int) -> TextPart | None:
        """A part as it was put; None when it is not there."""

    def count(self, place: TextPlace) -> int:
        """How many parts are there, from number 0 on without a gap."""

    def size(self, tenant: str, document_id: str, revision: int) -> int:
        """How many parts are kept of a revision, of whatever bytes."""

    def remove(
        self, tenant: str, document_id: str, *, keep_revision: int, up_to_revision: int | None = None
    ) -> int:
        """Removes the texts of other revisions (0 keeps none) for good; gives the number of parts.

        Texts of revisions above `up_to_revision` stay, as with `DocumentIndex.remove`.
        """
