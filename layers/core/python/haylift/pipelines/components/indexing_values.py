"""What passes between the components of the indexing pipeline."""

from dataclasses import dataclass

from haylift.domain.chunks import ParsedDocument
from haylift.ports.ingestion import IndexingTask
from haylift.services.splitting import Piece


class Unchanging:
    """Haystack copies what crosses an edge; what never changes needs no copy."""

    def __deepcopy__(self, memo: object) -> "Unchanging":
        return self


@dataclass(frozen=True)
class IndexingJob(Unchanging):
    """The task, on its way into a pipeline."""

    task: IndexingTask


@dataclass(frozen=True)
class ParsedFile(Unchanging):
    """A parsed document on its way to the next component."""

    document: ParsedDocument


@dataclass(frozen=True)
class SplitFile(Unchanging):
    """A document and the pieces that it was split into."""

    document: ParsedDocument
    pieces: tuple[Piece, ...]
