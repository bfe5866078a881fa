"""Tries hostile files on the real ingestion: real parser process, pipeline and service, stores in memory."""

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.adapters.s3_events import read_object_event
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import IngestLimits, IngestParts
from haylift.services.splitting import SplitLimits
from haylift.telemetry import Telemetry

from functions.dispatch.app import consume as consume_events
from functions.ingestion.app import consume
from functions.ingestion.contract import Settings
from tests.fakes.bucket import BUCKET, MemoryBucket
from tests.fakes.cache import InMemorySharedCache
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.index import InMemoryIndex
from tests.fakes.ingestion import MemoryLanes, MemoryLedger
from tests.fakes.search import FakeModels
from tests.fakes.texts import MemoryTexts
from tests.hostile.corpus import SEARCHABLE, HostileFile
from tests.unit.ingestion.world import batch

MOST_S = 30.0
MOST_WAIT_S = 90.0
"""By the wall clock, so that a process that hangs is seen on a machine that others use too."""

MOST_MIB = 1_024
DEFAULTS = {name: field.default for name, field in Settings.__dataclass_fields__.items()}
LIMITS = ParserLimits(
    time_s=float(str(DEFAULTS["parse_time_s"])),
    memory_bytes=int(str(DEFAULTS["parse_memory_bytes"])),
    output_chars=int(str(DEFAULTS["parse_output_chars"])),
)
NEIGHBOUR = "neighbour.md"
OWN_WORDS = Path("/proc/self/cmdline").read_bytes()


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of a file.

    Args:
        outcome: SEARCHABLE or the reason of the rejection; the state where it is neither.
        seconds: from the order to the verdict, by the wall clock.
        busy_s: of the processor, of the worker and its parser together: a busy machine changes little of it.
        peak_mib: the most that the parser process held.
        told: connections, foreign processes and shared memory that the process asked for.
    """

    name: str
    outcome: str
    seconds: float
    busy_s: float
    peak_mib: int
    chunks: int
    partial_detail: str
    told: tuple[str, ...]


@dataclass
class Bench:
    """One worker that takes hostile files one after the other.

    Args:
        folder: for the pipe that the watched process tells through.
        command: another parser process, such as a wrong one; it gets no pipe then.
    """

    folder: Path
    limits: ParserLimits = LIMITS
    command: tuple[str, ...] = ()
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    index: InMemoryIndex = field(default_factory=InMemoryIndex)
    lanes: MemoryLanes = field(default_factory=MemoryLanes)
    telemetry: Telemetry = field(default_factory=RecordedTelemetry)

    def __post_init__(self) -> None:
        self.pipe = self.folder / "told"
        os.mkfifo(self.pipe)
        # Open at both ends, so that neither side waits for the other.
        self.told = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        watched = (sys.executable, "-P", "-S", "-m", "tests.hostile.watched_parser", str(self.pipe))
        parser = ParserProcess(self.limits, command=self.command or watched)
        self.ledger, texts = MemoryLedger(), MemoryTexts()
        splitting = SplitLimits(max_tokens=256, overlap_tokens=32)
        pipeline = indexing_pipeline(parser, texts, FakeModels(), self.index, splitting)
        self.dispatcher = DispatchService(
            ledger=self.ledger,
            objects=self.bucket,
            lanes=self.lanes,
            telemetry=self.telemetry,
            interactive_open_limit=50,
            interactive_max_bytes=262_144,
        )
        self.worker = IngestService(
            parts=IngestParts(
                ledger=self.ledger,
                objects=self.bucket,
                texts=texts,
                index=self.index,
                cache=InMemorySharedCache(),
                tenants=self.ledger.tenants,
                pipeline=HaystackIndexingPipeline(pipeline, recipe("hashed-words", splitting, "1")),
                telemetry=self.telemetry,
                limits=IngestLimits(lease_s=150.0, max_file_bytes=52_428_800),
            )
        )

    def try_file(self, file: HostileFile) -> Trial:
        """Uploads the file and works on its order; whatever it does, the worker must be alive after it."""
        key = DocumentKey("acme", file.name)
        self.bucket.put(key.object_key, file.make(), **file.metadata)
        with _watched_memory() as peak:
            began, busy_s = time.monotonic(), _busy_s()
            self.work()
            seconds, busy_s = time.monotonic() - began, _busy_s() - busy_s
        row = self.row(key)
        return Trial(
            name=file.name,
            outcome=row.reason if row.state is DocumentState.REJECTED else row.state.value,
            seconds=seconds,
            busy_s=busy_s,
            peak_mib=peak[0] // 1_024,
            chunks=row.chunk_count,
            partial_detail=row.partial_detail,
            told=self._heard(),
        )

    def _heard(self) -> tuple[str, ...]:
        with contextlib.suppress(BlockingIOError):
            return tuple(os.read(self.told, 65_536).decode().splitlines())
        return ()

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self.told)

    def try_neighbour(self) -> bool:
        """True when the same worker still makes a plain file searchable."""
        key = DocumentKey("globex", NEIGHBOUR)
        self.bucket.put(key.object_key, b"# Dogs\n\nThey bark.")
        self.work()
        return self.row(key).state is DocumentState.SEARCHABLE

    def work(self) -> None:
        """Delivers the bucket's events and the orders that they make."""
        bodies, self.bucket.bodies = self.bucket.bodies, []
        consume_events(batch(bodies), self.dispatcher, lambda body: read_object_event(body, BUCKET))
        while self.lanes.sent:
            _, order = self.lanes.sent.pop(0)
            answer = consume(batch(["order"]), self.worker, lambda _, order=order: order, remaining_s=120.0)
            assert answer == {"batchItemFailures": []}

    def row(self, key: DocumentKey) -> DocumentRecord:
        """The ledger's row."""
        row = self.ledger.get(key.tenant, key.document_id)
        assert row is not None
        return row


def faults(file: HostileFile, trial: Trial, *, neighbour_lives: bool) -> list[str]:
    """Which promises the trial broke; empty: none."""
    broken = []
    if trial.outcome not in file.outcomes:
        broken.append(f"ended as {trial.outcome}")
    if trial.busy_s > MOST_S or trial.seconds > MOST_WAIT_S:
        broken.append("took too long")
    if trial.peak_mib > MOST_MIB:
        broken.append("took too much memory")
    if trial.told:
        broken.append(f"reached out: {trial.told[0][:80]}")
    if trial.outcome == SEARCHABLE and not trial.chunks:
        broken.append("searchable without a chunk")
    if not neighbour_lives:
        broken.append("its neighbour suffered")
    return broken


def _busy_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    living_s = sum(map(_living_s, _children("self")))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime + living_s


def _living_s(process_id: str) -> float:
    """Of a child that lives, with all that it has waited for."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _children(process_id: str) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for listed in Path(f"/proc/{process_id}/task").glob("*/children"):
            found += listed.read_text().split()
    return found


@contextlib.contextmanager
def _watched_memory() -> Iterator[list[int]]:
    """The highest resident memory, in KiB, of any child of this process, and of any child of those."""
    peak = [0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for child in _children("self"):
                peak[0] = max(peak[0], *map(_resident_kib, (child, *_children(child))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _resident_kib(process_id: str) -> int:
    with contextlib.suppress(OSError):
        # Between its fork and its command a child has the memory and the words of its parent.
        if Path(f"/proc/{process_id}/cmdline").read_bytes() == OWN_WORDS:
            return 0
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
