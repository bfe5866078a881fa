"""Where model runs happen: one thread for all models of the device, one run after the other."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Protocol, cast


class Lane(Protocol):
    """A place where a blocking call runs without blocking the event loop."""

    async def run[T](self, call: Callable[[], T]) -> T:
        """The call's result; raises what it raised, always as an Exception."""


class ThreadLane:
    """One daemon thread that runs calls in the order of arrival.

    One thread for all models: two runs at once would share the cores and the caches, and both be slower. A
    daemon: a run that never returns must not keep the process from ending, as in a `ThreadPoolExecutor`.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="model-runs", daemon=True).start()

    async def run[T](self, call: Callable[[], T]) -> T:
        """Runs the call after those before it. A caller that is cancelled meanwhile leaves the queue."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            if future.cancelled():
                return
            try:
                result = call()
            except Exception as error:
                _tell(loop, partial(_settle, future, None, error))
            except BaseException as error:  # a SystemExit in native code must not end the thread
                _tell(loop, partial(_settle, future, None, RuntimeError(f"run ended with {error!r}")))
            else:
                _tell(loop, partial(_settle, future, result, None))

        self._jobs.put(job)
        return await future

    def close(self) -> None:
        """Ends the thread after the calls already queued."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle[T](future: asyncio.Future[T], result: T | None, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(cast("T", result))


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        # The loop is closed: the process is ending and nobody waits any more.
        return
