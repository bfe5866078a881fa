"""What passes between the components of the indexing pipeline: parts of a text, made when they are taken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from haylift.domain.texts import TextPart, TextPlace
from haylift.ports.ingestion import IndexingTask
from haylift.services.splitting import Piece


class Unchanging:
    """Haystack copies what crosses an edge; what never changes, or can be read only once, is not copied."""

    def __deepcopy__(self, memo: object) -> "Unchanging":
        return self


@dataclass(frozen=True)
class IndexingJob(Unchanging):
    """The task, on its way into a pipeline."""

    task: IndexingTask


@dataclass(frozen=True, kw_only=True)
class ParsedFile(Unchanging):
    """A file's text on its way to the next component, part by part; each part can be taken once.

    Args:
        place: where the text is kept.
        parts: what comes after `before`, without numbers and places.
        before: the last part that an earlier attempt has kept; None: there is none.
    """

    place: TextPlace
    parts: Iterator[TextPart]
    before: TextPart | None = None


@dataclass(frozen=True, kw_only=True)
class KeptText(Unchanging):
    """A text that is kept from its first part to its last.

    Args:
        last: the last part.
        read: all parts in order, as often as wanted.
    """

    last: TextPart
    read: Callable[[], Iterator[TextPart]]


@dataclass(frozen=True, kw_only=True)
class SplitPart:
    """A part and the pieces that it was split into."""

    part: TextPart
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class SplitFile(Unchanging):
    """A text and its pieces, part by part; each can be taken once."""

    last: TextPart
    parts: Iterator[SplitPart]
