"""The line in front of one model: admission, two classes, and who leaves early."""

import asyncio
from collections.abc import Callable, Iterable

from haylift_endpoint.batching.items import WorkItem
from haylift_endpoint.batching.selection import Limits, choose_batch, choose_class
from haylift_endpoint.errors import DeadlineExceeded, EndpointError, InvalidRequest, Overloaded
from haylift_endpoint.ports import RequestClass

# Sorting is bounded: neighbours in length are sought among this many of the oldest.
_WINDOW_ITEMS = 512

_MIN_RETRY_S, _MAX_RETRY_S = 0.1, 30.0

# Until the first runs are known; one busy core of the development machine does about this with bge-small.
_FIRST_GUESS_TOKENS_PER_S = 2_000.0

# What the past weighs at each new run: about the last ten runs count.
_MEMORY_RATIO = 0.9


class WaitingLine:
    """Items that wait for one model. Belongs to one event loop; nothing here blocks or raises but `admit`.

    Args:
        limits: What one run may hold.
        max_queued_tokens: Admission bound, in tokens as they are (without padding).
        max_delay_s: See `choose_class`.
        clock: The event loop's clock, in seconds.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        max_queued_tokens: int,
        max_delay_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._max_queued_tokens = max_queued_tokens
        self._max_delay_s = max_delay_s
        self._clock = clock
        # Dictionaries keep the order of arrival and let any item leave in constant time.
        self._items_by_class: dict[RequestClass, dict[int, WorkItem]] = {"query": {}, "document": {}}
        self._last_class: RequestClass = "document"
        self._arrival = asyncio.Event()
        self._recent_tokens, self._recent_s = _FIRST_GUESS_TOKENS_PER_S, 1.0
        self.queued_tokens = 0

    def admit(self, items: Iterable[WorkItem]) -> None:
        """Lets all items in, or none.

        Raises:
            Overloaded: The line is full, or so long that the deadline would pass first: work that nobody will
                wait for is refused now. `retry_after_s` is about the time until there is room.
            InvalidRequest: The request alone is longer than the line.
        """
        new = list(items)
        tokens = sum(item.tokens for item in new)
        if tokens > self._max_queued_tokens:
            raise InvalidRequest(
                f"the request has {tokens} tokens, one may have {self._max_queued_tokens}; send fewer inputs"
            )
        if self.queued_tokens + tokens > self._max_queued_tokens:
            raise Overloaded(
                "too much is waiting for the model", retry_after_s=self._retry_s(self.queued_tokens)
            )
        self._refuse_hopeless(new, tokens)
        for item in new:
            self._items_by_class[item.request_class][id(item)] = item
        self.queued_tokens += tokens
        self._arrival.set()

    def discard(self, items: Iterable[WorkItem]) -> None:
        """Takes out those items that still wait; their callers have gone."""
        for item in items:
            self._remove(item)

    def fail_all(self, error: Callable[[], EndpointError]) -> None:
        """Ends every waiting item with an error."""
        for items in self._items_by_class.values():
            for item in list(items.values()):
                self._remove(item)
                item.decide(error())

    async def take(self) -> list[WorkItem]:
        """The next batch, as soon as anything waits: never empty, never with a cancelled or expired item."""
        while True:
            if batch := self._next_batch():
                return batch
            self._arrival.clear()
            await self._arrival.wait()

    def note_run(self, tokens: int, model_s: float) -> None:
        """Learns the model's speed from a run, which is what waits and deadlines are judged by."""
        self._recent_tokens = _MEMORY_RATIO * self._recent_tokens + tokens
        self._recent_s = _MEMORY_RATIO * self._recent_s + model_s

    def _refuse_hopeless(self, new: list[WorkItem], tokens: int) -> None:
        # An empty line lets everybody in: a wrong idea of the speed must not keep out what would correct it.
        is_query = any(item.request_class == "query" for item in new)
        ahead = (
            sum(item.tokens for item in self._items_by_class["query"].values())
            if is_query
            else self.queued_tokens
        )
        late_by_tokens = (
            ahead + tokens - self._speed() * (min(item.deadline_s for item in new) - self._clock())
        )
        if ahead and late_by_tokens > 0:
            raise Overloaded(
                "the line is too long for this deadline",
                retry_after_s=self._retry_s(min(late_by_tokens, ahead)),
            )

    def _speed(self) -> float:
        return self._recent_tokens / max(self._recent_s, 1e-6)

    def _retry_s(self, tokens: float) -> float:
        return min(_MAX_RETRY_S, max(_MIN_RETRY_S, tokens / self._speed()))

    def waiting(self, request_class: RequestClass) -> int:
        """Items of a class in the line."""
        return len(self._items_by_class[request_class])

    def oldest_wait_s(self, request_class: RequestClass) -> float | None:
        """How long the first of a class has waited; None when nobody does."""
        first = next(iter(self._items_by_class[request_class].values()), None)
        return None if first is None else max(0.0, self._clock() - first.arrived_s)

    def _next_batch(self) -> list[WorkItem]:
        window_by_class = {name: self._window(name) for name in self._items_by_class}
        if not any(window_by_class.values()):
            return []
        self._last_class = choose_class(
            self.oldest_wait_s("query"),
            self.oldest_wait_s("document"),
            last=self._last_class,
            max_delay_s=self._max_delay_s,
        )
        batch = choose_batch(window_by_class[self._last_class], self._limits)
        for item in batch:
            self._remove(item)
        return batch

    def _window(self, request_class: RequestClass) -> list[WorkItem]:
        now_s, live = self._clock(), []
        for item in list(self._items_by_class[request_class].values()):
            if not item.is_waiting:
                self._remove(item)
            elif item.deadline_s <= now_s:
                self._remove(item)
                item.decide(DeadlineExceeded("the deadline passed while the request waited for the model"))
            else:
                live.append(item)
            if len(live) == _WINDOW_ITEMS:
                break
        return live

    def _remove(self, item: WorkItem) -> None:
        if self._items_by_class[item.request_class].pop(id(item), None) is not None:
            self.queued_tokens -= item.tokens
