"""Documents' texts to vectors, by a model that others use too: in small calls, waiting while it is busy."""

import random
import time
from collections.abc import Callable, Sequence

from haylift.domain.chunks import Vector
from haylift.domain.errors import ModelBusy
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


def call_texts(texts: Sequence[str], most_texts: int = CALL_TEXTS) -> int:
    """How many texts, from the first on, go into one call: one at least.

    >>> call_texts(["a"] * 40), call_texts(["a"] * 40, most_texts=8), call_texts(["two words " * 500] * 3)
    (16, 8, 2)
    """
    tokens = 0
    for count, text in enumerate(texts[:most_texts]):
        tokens += estimated_tokens(text)
        if count and tokens > CALL_TOKENS:
            return count
    return min(len(texts), most_texts)


class PatientEmbedder:
    """Takes a busy model as a reason to wait and to send less, not as an outage; serves one document.

    The waits are outside of any retry budget: nothing is sent before the endpoint's own time is over,
    and half as much as before, so that it is never asked for more than it has room for.

    Args:
        embedder: makes the calls.
        deadline: of the whole work.
        on_wait: called before each wait: a sign of life, which may raise to end the work.
        sleep, draw: waiting, and a random number from 0 to 1.
    """

    def __init__(
        self,
        embedder: Embedder,
        deadline: Deadline,
        *,
        on_wait: Callable[[], object],
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._embedder = embedder
        self._deadline = deadline
        self._on_wait = on_wait
        self._sleep = sleep
        self._draw = draw
        self._most_texts = CALL_TEXTS

    def embed_first(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of the first texts: as many as went into one call, one at least.

        Args:
            texts: not empty.

        Raises:
            InvalidInput: `where` is the refused text's position.
            ModelBusy: the model has no room until the deadline.
            ModelUnavailable, DeadlineExceeded: as the port says.
        """
        while True:
            count = call_texts(texts, self._most_texts)
            try:
                vectors = self._embedder.embed_documents(texts[:count], self._deadline)
            except ModelBusy as busy:
                self._most_texts = max(1, count // 2)
                self._wait(busy)
            else:
                self._most_texts = min(CALL_TEXTS, self._most_texts * 2)
                return vectors

    def _wait(self, busy: ModelBusy) -> None:
        """Up to half as long again as the endpoint asks, so that those who wait do not come back together."""
        wait_s = min(MOST_WAIT_S, busy.retry_after_s) * (1.0 + self._draw() / 2)
        if self._deadline.remaining_s <= wait_s + LEAST_CALL_S:
            raise busy
        self._on_wait()
        self._sleep(wait_s)
