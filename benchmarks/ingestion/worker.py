"""One worker: the product's services, parser processes, pipeline and SQLite index; the rest is in memory.

DynamoDB, S3, SQS and Valkey are dictionaries here, so that the processor's time is the product's own and not
an emulator's. So what the AWS SDK costs is not counted; `calls` says how often it would be used.
"""

import base64
import io
import random
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from haylift.adapters.lambda_telemetry import EmfTelemetry
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.adapters.s3_events import read_object_event
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.events import IngestionOrder
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.ports import Embedder
from haylift.services.counted_index import CountedIndex
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import IngestLimits, IngestParts
from haylift.services.splitting import SplitLimits

from functions.dispatch.app import consume as consume_events
from functions.ingestion.app import consume as consume_orders
from functions.ingestion.contract import Settings
from tests.fakes.bucket import BUCKET, MemoryBucket
from tests.fakes.cache import InMemorySharedCache
from tests.fakes.ingestion import MemoryLanes, MemoryLedger
from tests.fakes.texts import MemoryTexts

MODEL = "bge-small-en-v1.5"
DIMENSIONS = 384
REMAINING_S = 600.0
INTAKE_BATCH = 10
"""Events in one invocation of the dispatch function, as the intake queue gives them."""

DEFAULTS: dict[str, Any] = {name: one.default for name, one in Settings.__dataclass_fields__.items()}


class FreeRuntime:
    """`invoke_endpoint` of a model that takes no time: one answer for each number of texts, made once."""

    def __init__(self) -> None:
        draw = random.Random(5)  # noqa: S311  # no secret
        values = array("f", (draw.uniform(-0.1, 0.1) for _ in range(DIMENSIONS)))
        self._vector = base64.b64encode(values.tobytes()).decode()
        self._answers: dict[int, bytes] = {}

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        """One vector for each text."""
        count = len(orjson.loads(call["Body"])["input"])
        if count not in self._answers:
            rows = [{"index": at, "embedding": self._vector} for at in range(count)]
            self._answers[count] = orjson.dumps({"data": rows})
        return {"Body": io.BytesIO(self._answers[count])}


def free_models() -> SageMakerModels:
    """The product's client of the model, with a model that takes no time."""
    runtime = FreeRuntime()
    return SageMakerModels(ModelInvoker("none", EmfTelemetry(), make=lambda _: runtime), MODEL)


class Counted:
    """Passes calls on and counts them."""

    def __init__(self, target: object, calls: Counter[str]) -> None:
        self._target = target
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls[f"{type(self._target).__name__}.{name}"] += 1
            return attribute(*args, **kwargs)

        return call


@dataclass
class Worker:
    """Dispatch and ingestion of one tenant.

    Args:
        folder: for the index.
        models: the embedder.
        calls: filled with the calls of stores that are AWS services or Valkey; None: not counted.
    """

    folder: Path
    models: Embedder
    calls: Counter[str] | None = None
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    lanes: MemoryLanes = field(default_factory=MemoryLanes)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    texts: MemoryTexts = field(default_factory=MemoryTexts)
    cache: InMemorySharedCache = field(default_factory=InMemorySharedCache)

    def __post_init__(self) -> None:
        telemetry = EmfTelemetry()
        index = CountedIndex(SqliteIndex(self.folder), telemetry)
        limits = SplitLimits(
            max_tokens=DEFAULTS["chunk_max_tokens"], overlap_tokens=DEFAULTS["chunk_overlap_tokens"]
        )
        parser = ParserProcess(
            ParserLimits(
                time_s=DEFAULTS["parse_time_s"],
                memory_bytes=DEFAULTS["parse_memory_bytes"],
                output_chars=DEFAULTS["parse_output_chars"],
            )
        )
        texts = self._counted(self.texts)
        pipeline = indexing_pipeline(parser, texts, self.models, index, limits)
        self._dispatch = DispatchService(
            ledger=self._counted(self.ledger),
            objects=self._counted(self.bucket),
            lanes=self._counted(self.lanes),
            telemetry=telemetry,
            interactive_open_limit=50,
            interactive_max_bytes=262_144,
        )
        self._ingest = IngestService(
            parts=IngestParts(
                ledger=self._counted(self.ledger),
                objects=self._counted(self.bucket),
                texts=texts,
                index=index,
                cache=self._counted(self.cache),
                tenants=self._counted(self.ledger.tenants),
                pipeline=HaystackIndexingPipeline(pipeline, recipe(MODEL, limits, "1")),
                telemetry=telemetry,
                limits=IngestLimits(lease_s=DEFAULTS["lease_s"], max_file_bytes=DEFAULTS["max_file_bytes"]),
            )
        )

    def _counted(self, target: Any) -> Any:
        return target if self.calls is None else Counted(target, self.calls)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Uploads files; what they cost is not the product's."""
        for name, data in files.items():
            self.bucket.put(f"documents/acme/{name}", data)

    def dispatch(self) -> list[IngestionOrder]:
        """Works on the events of all uploads, ten at a time; the orders that come of them."""
        bodies, self.bucket.bodies = self.bucket.bodies, []
        for first in range(0, len(bodies), INTAKE_BATCH):
            answer = consume_events(
                _records(bodies[first : first + INTAKE_BATCH]), self._dispatch, _read_event
            )
            _require_done(answer)
        orders = [order for _, order in self.lanes.sent]
        self.lanes.sent.clear()
        return orders

    def ingest(self, order: IngestionOrder) -> None:
        """One invocation of the ingestion function: one document each, as the lanes give them."""
        _require_done(consume_orders(_records([""]), self._ingest, lambda _: order, remaining_s=REMAINING_S))

    def ingest_all(self, orders: Sequence[IngestionOrder], workers: int = 1) -> None:
        """All orders, so many at a time."""
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self.ingest, orders))

    def forget(self) -> None:
        """Empties the stand-ins, which would otherwise grow in the place of the services."""
        for store in (self.bucket.versions, self.ledger.rows, self.ledger.finished_by, self.texts.stored):
            store.clear()
        self.cache.calls.clear()


def _records(bodies: Sequence[str]) -> dict[str, Any]:
    return {"Records": [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]}


def _require_done(answer: Mapping[str, Sequence[object]]) -> None:
    if answer["batchItemFailures"]:
        raise RuntimeError("a record came back: the figures would be of something else")


def _read_event(body: str) -> Any:
    return read_object_event(body, BUCKET)


type Show = Callable[[str], None]
"""Tells of progress."""
