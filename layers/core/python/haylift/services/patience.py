"""Documents' texts to vectors, by a model that others use too: in small calls, waiting while it is busy."""

import random
import time
from collections.abc import Callable, Iterator, Sequence

from haylift.domain.chunks import Vector
from haylift.domain.errors import InvalidInput, ModelBusy
from haylift.ports.search import Embedder
from haylift.resilience import Deadline
from haylift.services.splitting import estimated_tokens

CALL_TEXTS = 16
CALL_TOKENS = 2_048
"""Estimated tokens in one call: about 1 s of two CPU cores, so that what comes after it, another tenant's
small file for example, waits no longer than that."""

LEAST_CALL_S = 2.0
"""With less time than this after a wait, the rest is left to the next attempt."""

MOST_WAIT_S = 15.0
"""An endpoint may ask for more; whoever waits looks again, since others may have given up meanwhile."""


def calls(texts: Sequence[str], most_texts: int = CALL_TEXTS) -> Iterator[int]:
    """How many texts go into each call, in order: `most_texts` and `CALL_TOKENS` at most, one at least.

    >>> list(calls(["a"] * 40))
    [16, 16, 8]
    >>> list(calls(["two words " * 500] * 3))
    [2, 1]
    """
    count, tokens = 0, 0
    for text in texts:
        cost = estimated_tokens(text)
        if count and (count == most_texts or tokens + cost > CALL_TOKENS):
            yield count
            count, tokens = 0, 0
        count += 1
        tokens += cost
    if count:
        yield count


class PatientEmbedder:
    """Takes a busy model as a reason to wait and to send less, not as an outage.

    The waits are outside of any retry budget: nothing is sent before the endpoint's own time is over,
    and half as much as before, so that it is never asked for more than it has room for.

    Args:
        embedder: makes the calls.
        sleep, draw: waiting, and a random number from 0 to 1.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._embedder = embedder
        self._sleep = sleep
        self._draw = draw

    def embed(self, texts: Sequence[str], deadline: Deadline, on_wait: Callable[[], None]) -> list[Vector]:
        """One vector per text, in order.

        Args:
            on_wait: called before each wait: a sign of life, which may raise to end the work.

        Raises:
            InvalidInput: `where` is the refused text's position.
            ModelBusy: the model has no room until the deadline.
            ModelUnavailable, DeadlineExceeded: as the port says.
        """
        vectors: list[Vector] = []
        most_texts = CALL_TEXTS
        while len(vectors) < len(texts):
            rest = texts[len(vectors) :]
            count = next(calls(rest[:CALL_TEXTS], most_texts))
            try:
                vectors += self._embedder.embed_documents(rest[:count], deadline)
                most_texts = min(CALL_TEXTS, most_texts * 2)
            except ModelBusy as busy:
                most_texts = max(1, count // 2)
                self._wait(busy, deadline, on_wait)
            except InvalidInput as refusal:
                position = len(vectors) + int(refusal.where or 0)
                raise InvalidInput(refusal.detail, code=refusal.code, where=str(position)) from refusal
        return vectors

    def _wait(self, busy: ModelBusy, deadline: Deadline, on_wait: Callable[[], None]) -> None:
        """Up to half as long again as the endpoint asks, so that those who wait do not come back together."""
        wait_s = min(MOST_WAIT_S, busy.retry_after_s) * (1.0 + self._draw() / 2)
        if deadline.remaining_s <= wait_s + LEAST_CALL_S:
            raise busy
        on_wait()
        self._sleep(wait_s)
