"""Which inputs run next: pure functions, so that an arrival trace can be replayed on paper."""

from collections.abc import Sequence
from typing import Protocol

from haylift_endpoint.ports import RequestClass


class Sized(Protocol):
    """Anything with a length in tokens."""

    @property
    def tokens(self) -> int:
        """Length in tokens."""


class Limits(Protocol):
    """What one run may hold; see `BatchLimits`."""

    @property
    def max_items(self) -> int:
        """Inputs."""

    @property
    def max_tokens(self) -> int:
        """Padded tokens: inputs times the longest."""

    @property
    def max_padding_tokens(self) -> int:
        """Padding that one more input may add."""


def choose_class(
    query_wait_s: float | None, document_wait_s: float | None, *, last: RequestClass, max_delay_s: float
) -> RequestClass:
    """The class that runs next, given how long the oldest of each has waited (None: nobody waits).

    Queries first. A document older than `max_delay_s` takes its turn after any run of queries, so that
    documents get at least every second run under any load of queries, and a query waits for at most one run
    of documents.
    """
    if query_wait_s is None:
        return "document"
    if document_wait_s is None:
        return "query"
    return "document" if last == "query" and document_wait_s >= max_delay_s else "query"


def choose_batch[T: Sized](waiting: Sequence[T], limits: Limits) -> list[T]:
    """The oldest of `waiting` (its first) and its nearest neighbours in length, within the limits.

    The oldest is always taken, so that no length can starve. A neighbour that would cost more padding than a
    run of its own is left for the next run.
    """
    oldest = waiting[0]
    batch, longest = [oldest], oldest.tokens
    for item in sorted(waiting[1:], key=lambda other: abs(other.tokens - oldest.tokens)):
        if len(batch) == limits.max_items:
            break
        new_longest = max(longest, item.tokens)
        padded = new_longest * (len(batch) + 1)
        added_padding = padded - longest * len(batch) - item.tokens
        if padded <= limits.max_tokens and added_padding <= limits.max_padding_tokens:
            batch.append(item)
            longest = new_longest
    return batch


def padded_tokens(batch: Sequence[Sized]) -> int:
    """Tokens the model works through: inputs times the longest."""
    return len(batch) * max((item.tokens for item in batch), default=0)


def halves[T](batch: Sequence[T]) -> list[list[T]]:
    """Two parts of a failed batch of two or more; repeated, they leave the poison item alone."""
    middle = len(batch) // 2
    return [list(batch[:middle]), list(batch[middle:])]
