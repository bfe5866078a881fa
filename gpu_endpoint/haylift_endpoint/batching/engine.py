"""One model with its line and its worker: inputs in, a result for each or one error out, by a deadline."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from haylift_endpoint.batching.items import WorkItem
from haylift_endpoint.batching.line import WaitingLine
from haylift_endpoint.batching.worker import BatchWorker, Observer
from haylift_endpoint.errors import (
    DeadlineExceeded,
    EndpointError,
    InternalFault,
    ModelStuck,
    Overloaded,
    Unavailable,
)
from haylift_endpoint.ports import BatchModel, Input, Prepared, RequestClass, Vector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """The terms of one request: who waits, until when (event loop's clock, seconds), and whether to cut."""

    request_class: RequestClass
    deadline_s: float
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """Results in the order of the inputs, their tokens in total, and the indexes of those that were cut.

    `queued_s` is the longest time that one of the inputs stood in line, `model_s` the longest run that one
    of them was part of: a request may be spread over several batches, and shares each with others.
    """

    rows: list[Vector]
    tokens: int
    truncated: list[int]
    queued_s: float = 0.0
    model_s: float = 0.0


class TokenizerPool:
    """Threads that tokenise, with a bound on how many requests may be inside.

    Args:
        threads: Requests tokenised at one time.
        max_inside: Requests being tokenised or waiting for it.
    """

    def __init__(self, *, threads: int, max_inside: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tokenize")
        self._room = threading.BoundedSemaphore(max_inside)

    async def run[T](self, call: Callable[[], T]) -> T:
        """The call's result.

        Raises:
            Overloaded: The pool is full.
        """
        if not self._room.acquire(blocking=False):
            raise Overloaded("too many requests are being tokenised", retry_after_s=1.0)
        future = self._pool.submit(call)
        # The room is given back by the thread: a caller who leaves does not end the work.
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drops what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Engine:
    """Answers requests for one model. Start it inside the event loop that it is used in."""

    def __init__(
        self,
        model: BatchModel,
        line: WaitingLine,
        worker: BatchWorker,
        *,
        tokenizers: TokenizerPool,
        observer: Observer,
    ) -> None:
        self.model = model
        self.line = line
        self._worker = worker
        self._tokenizers = tokenizers
        self._observer = observer
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def start(self) -> None:
        """Begins to serve."""
        self._task = asyncio.create_task(self._worker.run(), name=f"worker-{self.model.name}")

    async def stop(self) -> None:
        """Ends the worker; what still waits gets `Unavailable`."""
        self.close_line()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def close_line(self) -> None:
        """Refuses new work and ends what waits. What runs at this moment still gets its answer."""
        self._is_closing = True
        self.line.fail_all(_stopping)

    def fault(self) -> EndpointError | None:
        """Why a request would be refused at once; None when all is well."""
        if self._is_closing:
            return _stopping()
        if self._worker.is_stuck:
            return ModelStuck("the model does not come back from a run", retry_after_s=5.0)
        if self._task is None or self._task.done():
            return Unavailable("the model's worker does not run", retry_after_s=5.0)
        return None

    def needs_restart(self) -> bool:
        """True when only a new process helps: stuck, broken, or without a worker."""
        return self._worker.is_broken or (self.fault() is not None and not self._is_closing)

    async def answer(self, inputs: Sequence[Input], call: Call) -> Results:
        """A result for each input, or one error for the request. Ends by `call.deadline_s` at the latest.

        Raises:
            InputTooLong, InvalidRequest: The request must change.
            Overloaded, Unavailable: It may come again after `retry_after_s`.
            DeadlineExceeded: Its time is up.
            ModelFailure: The model fails on one of its inputs.
        """
        try:
            async with asyncio.timeout_at(call.deadline_s):
                prepared = await self._prepare(inputs, call)
                items = await self._run(prepared, call)
        except TimeoutError as error:
            raise DeadlineExceeded("the deadline passed before the answer was ready") from error
        return Results(
            rows=[_result(item.outcome.result()) for item in items],
            tokens=sum(item.tokens for item in prepared),
            truncated=[index for index, item in enumerate(prepared) if item.is_truncated],
            queued_s=max((item.queued_s for item in items), default=0.0),
            model_s=max((item.model_s for item in items), default=0.0),
        )

    async def _prepare(self, inputs: Sequence[Input], call: Call) -> list[Prepared]:
        if fault := self.fault():
            raise fault
        try:
            return await self._tokenizers.run(lambda: self.model.prepare(inputs, truncate=call.truncate))
        except EndpointError:
            raise
        except Exception as error:
            logger.exception("tokenising failed", extra={"fields": {"model": self.model.name}})
            raise InternalFault("the request could not be tokenised") from error

    async def _run(self, prepared: Sequence[Prepared], call: Call) -> list[WorkItem]:
        """The items of a request, all answered."""
        if fault := self.fault():
            raise fault
        now_s = asyncio.get_running_loop().time()
        items = [
            WorkItem(each, call.request_class, arrived_s=now_s, deadline_s=call.deadline_s)
            for each in prepared
        ]
        self.line.admit(items)
        try:
            for item in items:
                _result(await item.outcome)
            return items
        finally:
            # Whatever ended this request, nothing of it stays in line; an item in a running batch is let go.
            self.line.discard(items)
            for item in items:
                item.outcome.cancel()
                self._observer.left(self.model.name, item.kind)


def _result(outcome: Vector | EndpointError) -> Vector:
    if isinstance(outcome, EndpointError):
        raise outcome
    return outcome


def _stopping() -> Unavailable:
    return Unavailable("the endpoint is stopping", retry_after_s=1.0)
