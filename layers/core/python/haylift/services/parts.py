"""Names of chunks that last: the same piece has the same chunk ids in every attempt."""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace

from haylift.services.splitting import Piece

MOST_HALVINGS = 12
"""A piece of 256 estimated tokens that was halved so often is shorter than one token."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece, or a half (of a half) of one that the model found too long.

    Args:
        position: the piece's place in the document, from 0. It does not depend on what the model
            finds too long, so an attempt that goes on where another stopped finds what is there.
        path: `0` for the first half, `1` for the second, and so on down; empty for the piece itself.
    """

    position: int
    piece: Piece
    path: str = ""

    def halves(self) -> list["Part"]:
        """The two parts that take this one's place; one when there is nothing to halve."""
        return [
            replace(self, path=self.path + side, piece=piece)
            for side, piece in zip("01", self.piece.halves(), strict=True)
            if piece.text
        ]


def stored_parts(stored: Set[str], chunk_id: Callable[[str], str], path: str = "") -> int:
    """How many chunks of the index are a piece; 0 unless they are all of it.

    Args:
        stored: chunk ids that the index holds.
        chunk_id: the id of the piece's part by its path.
    """
    if not stored or len(path) > MOST_HALVINGS:
        return 0
    if chunk_id(path) in stored:
        return 1
    first = stored_parts(stored, chunk_id, f"{path}0")
    second = first and stored_parts(stored, chunk_id, f"{path}1")
    return first + second if second else 0
