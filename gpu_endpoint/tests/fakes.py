"""A model that can misbehave on demand, and the parts of an engine around it."""

import asyncio
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np

from haylift_endpoint.batching.engine import Call, Engine, TokenizerPool
from haylift_endpoint.batching.items import OutcomeKind, WorkItem
from haylift_endpoint.batching.lane import Lane
from haylift_endpoint.batching.line import WaitingLine
from haylift_endpoint.batching.selection import halves
from haylift_endpoint.batching.worker import BatchWorker, Observer
from haylift_endpoint.inference.hardware import BatchLimits
from haylift_endpoint.ports import Input, Prepared, Text, Vector

TOKENIZERS = TokenizerPool(threads=2, max_inside=10_000)


def expected_row(text: str) -> list[float]:
    """What `FakeModel` answers for a text."""
    ids = [_id(word) for word in text.split()]
    return [float(len(ids)), float(sum(ids))]


def _id(word: str) -> int:
    return zlib.crc32(word.encode()) % 1000


POISON, NAN = _id("poison"), _id("nan")


class FakeModel:
    """One token per word. `poison` in a batch makes the run raise, `nan` spoils the rows of its whole batch.

    `gate`, when given, holds each run until it is set; `is_down` fails every run; `seen` lists what ran.
    """

    name = "fake"
    canary = Prepared((1,), 1)

    def __init__(self, *, gate: threading.Event | None = None) -> None:
        self.gate = gate
        self.is_down = False
        self.error: Callable[[], BaseException] = lambda: RuntimeError("bad input")
        self.entered = threading.Event()
        self.seen: list[list[tuple[int, ...]]] = []

    def prepare(self, inputs: Sequence[Input], *, truncate: bool) -> list[Prepared]:
        texts = [item.text if isinstance(item, Text) else f"{item.query} {item.document}" for item in inputs]
        prepared = []
        for text in texts:
            ids = tuple(_id(word) for word in text.split())
            prepared.append(Prepared(ids, len(ids), is_truncated=truncate and "long" in text))
        return prepared

    def forward(self, batch: Sequence[Prepared]) -> Vector:
        self.entered.set()
        if self.gate is not None:
            self.gate.wait()
        self.seen.append([item.token_ids for item in batch])
        if self.is_down or any(POISON in item.token_ids for item in batch):
            raise self.error()
        rows = np.array([[item.tokens, sum(item.token_ids)] for item in batch], dtype=np.float32)
        return np.full_like(rows, np.nan) if any(NAN in item.token_ids for item in batch) else rows

    def finish(self, row: Vector) -> Vector:
        if not np.isfinite(row).all():
            raise ValueError("not a number")
        return row


class InlineLane:
    """Runs at once in the event loop, after letting others go first: as many interleavings, no threads."""

    async def run[T](self, call: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return call()


class CountingObserver:
    """Counts outcomes of items."""

    def __init__(self) -> None:
        self.kinds: list[OutcomeKind] = []
        self.batch_sizes: list[int] = []

    def ran(self, model: str, batch: Sequence[Prepared], *, model_s: float) -> None:
        self.batch_sizes.append(len(batch))

    def left(self, model: str, kind: OutcomeKind) -> None:
        self.kinds.append(kind)


def make_engine(
    model: FakeModel,
    *,
    lane: Lane | None = None,
    split: Callable[[Sequence[WorkItem]], list[list[WorkItem]]] = halves,
    worker_class: type[BatchWorker] = BatchWorker,
    max_queued_tokens: int = 100_000,
    run_timeout_s: float = 20.0,
    observer: Observer | None = None,
) -> Engine:
    """An engine over a fake, with batches of at most 4."""
    observer = observer or CountingObserver()
    limits = BatchLimits(max_items=4, max_tokens=4096, max_padding_tokens=16)
    line = WaitingLine(limits, max_queued_tokens=max_queued_tokens, max_delay_s=60.0, clock=time.monotonic)
    worker = worker_class(
        model, line, lane or InlineLane(), run_timeout_s=run_timeout_s, observer=observer, split=split
    )
    return Engine(model, line, worker, tokenizers=TOKENIZERS, observer=observer)


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[Engine]:
    """The engine, started and stopped."""
    engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def call(*, within_s: float = 10.0, is_query: bool = False) -> Call:
    """Terms with a deadline from now."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    return Call("query" if is_query else "document", deadline_s)


def texts(*words: str) -> list[Input]:
    """Documents."""
    return [Text(word, "document") for word in words]


def ids(text: str) -> tuple[int, ...]:
    """The token ids by which a text is found in `FakeModel.seen`."""
    return tuple(_id(word) for word in text.split())


async def until(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Gives others the loop until the condition holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  the condition is a thread's
            await asyncio.sleep(0.001)
