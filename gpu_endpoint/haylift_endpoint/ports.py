"""What the batching engine needs from a model, and where model runs happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

RequestClass = Literal["query", "document"]
"""Who waits: a person at a search box, or ingestion. Queries go first."""

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Text:
    """A text to embed; queries get the model's query prefix."""

    text: str
    request_class: RequestClass


@dataclass(frozen=True, slots=True)
class Pair:
    """A passage to be scored against a query."""

    query: str
    document: str


type Input = Text | Pair


@dataclass(frozen=True, slots=True)
class Prepared:
    """An input as the model reads it, special tokens included.

    `second_start` is where the second segment (a pair's document) begins; equal to the length for one text.
    """

    token_ids: tuple[int, ...]
    second_start: int
    is_truncated: bool = False

    @property
    def tokens(self) -> int:
        """Its length in tokens."""
        return len(self.token_ids)


class BatchModel(Protocol):
    """A model in three steps: prepare on arrival, forward in batches, finish one by one.

    `prepare` and `forward` run in threads (prepare in several at once, forward in one at a time); `finish`
    runs in the event loop and must be cheap. Each may raise; it reaches only the requests concerned.
    """

    @property
    def name(self) -> str:
        """The name callers use."""

    @property
    def canary(self) -> Prepared:
        """A known good input: when even this fails, the model is broken and not the input."""

    def prepare(self, inputs: Sequence[Input], *, truncate: bool) -> list[Prepared]:
        """Tokenised inputs, in order, each at most `max_tokens` long.

        Raises:
            InputTooLong: An input is over the limit and `truncate` is false; `param` names it.
        """

    def forward(self, batch: Sequence[Prepared]) -> Vector:
        """One model run: `(len(batch), width)` float32, rows in the order of the batch."""

    def finish(self, row: Vector) -> Vector:
        """The result of one row, `(width,)` float32: a unit vector, or a score. Raises ValueError on NaN."""
