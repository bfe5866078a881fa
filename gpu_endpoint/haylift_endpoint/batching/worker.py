"""Takes batch after batch to the model, and gives every item its outcome whatever happens there."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from haylift_endpoint.batching.items import OutcomeKind, WorkItem
from haylift_endpoint.batching.lane import Lane
from haylift_endpoint.batching.line import WaitingLine
from haylift_endpoint.batching.selection import halves
from haylift_endpoint.errors import (
    DeadlineExceeded,
    EndpointError,
    InternalFault,
    ModelFailure,
    ModelStuck,
    Unavailable,
)
from haylift_endpoint.ports import BatchModel, Prepared, Vector

logger = logging.getLogger(__name__)

# A restart of the process takes about this long (start-up with both models: see README).
_RESTART_S = 5.0


class Observer(Protocol):
    """Who counts what happens here."""

    def ran(self, model: str, batch: Sequence[Prepared], *, model_s: float) -> None:
        """A model run succeeded."""

    def left(self, model: str, kind: OutcomeKind) -> None:
        """An item has its one outcome."""


class BatchWorker:
    """The only one that runs a model.

    Args:
        split: How a failed batch of two or more is divided; replaceable so that tests can break it.
        run_timeout_s: A run longer than this is stuck: its items and all that wait get `ModelStuck` at once.
    """

    def __init__(
        self,
        model: BatchModel,
        line: WaitingLine,
        lane: Lane,
        *,
        run_timeout_s: float,
        observer: Observer,
        split: Callable[[Sequence[WorkItem]], list[list[WorkItem]]] = halves,
    ) -> None:
        self._model = model
        self._line = line
        self._lane = lane
        self._run_timeout_s = run_timeout_s
        self._observer = observer
        self._split = split
        self._batch: list[WorkItem] = []
        self.is_stuck = False
        """A run has been going for longer than its limit; new requests are to be refused."""
        self.is_broken = False
        """The model failed on its known good input; a restart may help."""

    async def run(self) -> None:
        """Serves batches until cancelled."""
        while True:
            self._batch = await self._line.take()
            try:
                await self._serve(self._batch)
            except asyncio.CancelledError:
                _decide_all(self._batch, Unavailable("the endpoint is stopping", retry_after_s=1.0))
                raise
            except Exception:
                logger.exception("batch left unfinished", extra={"fields": {"model": self._model.name}})
            finally:
                # Whatever went wrong above: whoever is left without an outcome gets one here.
                _decide_all(self._batch, InternalFault("the request was lost on its way to the model"))

    async def _serve(self, batch: list[WorkItem]) -> None:
        parts = [batch]
        while parts:
            part = self._still_wanted(parts.pop())
            if not part:
                continue
            begun_s = asyncio.get_running_loop().time()
            try:
                rows = await self._forward([item.prepared for item in part])
            except Exception as error:
                if len(part) > 1 and not isinstance(error, ModelStuck):
                    parts.extend(self._split(part))
                else:
                    await self._fail_alone(part[0], error)
            else:
                _note_times(part, begun_s)
                parts.extend(await self._deliver(part, rows))

    async def _forward(self, batch: Sequence[Prepared]) -> Vector:
        started_s = time.monotonic()
        run = asyncio.ensure_future(self._lane.run(lambda: self._model.forward(batch)))
        try:
            done, _ = await asyncio.wait({run}, timeout=self._run_timeout_s)
            if not done:
                await self._sit_out(run)
            rows = run.result()
        finally:
            run.cancel()
        if len(rows) != len(batch):
            raise ValueError(f"the model gave {len(rows)} rows for {len(batch)} inputs")
        self._note_run(batch, time.monotonic() - started_s)
        return rows

    async def _sit_out(self, run: asyncio.Future[Vector]) -> None:
        """Answers all who wait, then holds the worker until the run returns: a second would wait behind."""
        self.is_stuck = True
        logger.error("model run is stuck", extra={"fields": {"model": self._model.name}})
        _decide_all(self._batch, _stuck())
        self._line.fail_all(_stuck)
        await asyncio.wait({run})
        self.is_stuck = False
        logger.warning("stuck model run came back", extra={"fields": {"model": self._model.name}})
        raise _stuck()

    async def _deliver(self, part: list[WorkItem], rows: Vector) -> list[list[WorkItem]]:
        """Gives out results; returns what must run again alone: one NaN can spoil a whole quantised run."""
        again = []
        for item, row in zip(part, rows, strict=True):
            try:
                item.decide(self._model.finish(row))
            except Exception as error:
                if len(part) == 1:
                    await self._fail_alone(item, error)
                else:
                    again.append([item])
        return again

    async def _fail_alone(self, item: WorkItem, error: Exception) -> None:
        """Tells an input that fails from a model that fails, by running the known good input."""
        logger.warning("model run failed", exc_info=error, extra={"fields": {"model": self._model.name}})
        try:
            self._model.finish((await self._forward([self._model.canary]))[0])
        except Exception:
            self.is_broken = True
            logger.exception("model fails on its canary", extra={"fields": {"model": self._model.name}})
            item.decide(Unavailable("the model does not work", retry_after_s=_RESTART_S))
        else:
            item.decide(ModelFailure("the model fails on this input, also alone"))

    def _still_wanted(self, part: list[WorkItem]) -> list[WorkItem]:
        now_s = asyncio.get_running_loop().time()
        for item in part:
            if item.is_waiting and item.deadline_s <= now_s:
                item.decide(DeadlineExceeded("the deadline passed while its batch was being repaired"))
        return [item for item in part if item.is_waiting]

    def _note_run(self, batch: Sequence[Prepared], model_s: float) -> None:
        self.is_broken = False
        self._line.note_run(sum(item.tokens for item in batch), model_s)
        self._observer.ran(self._model.name, batch, model_s=model_s)


def _note_times(part: Sequence[WorkItem], begun_s: float) -> None:
    """Tells each item how long it stood in line and how long the run took that answers it."""
    model_s = asyncio.get_running_loop().time() - begun_s
    for item in part:
        item.queued_s, item.model_s = begun_s - item.arrived_s, model_s


def _decide_all(items: Sequence[WorkItem], error: EndpointError) -> None:
    for item in items:
        item.decide(error)


def _stuck() -> ModelStuck:
    return ModelStuck("the model does not come back from a run", retry_after_s=_RESTART_S)
