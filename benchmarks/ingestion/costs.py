"""Time of the processor outside the model, and memory over many documents."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ingestion.figures import MOST_BATCH_MS, MOST_EVENT_MS, Memory, memory_figures
from benchmarks.ingestion.usage import Spent, resident_kib
from benchmarks.ingestion.worker import Show, Worker, free_models

ROOT = Path(__file__).resolve().parents[2]
WORDS_PER_FILE = 60
"""A note of a few sentences: one chunk."""

WARM_UP = 20
SAMPLES = 100
"""Looks at the memory in one run."""

LARGE_BYTES = 1_000_000
SHOW_EVERY_S = 20.0


def sources() -> str:
    """Prose of this project."""
    return "\n\n".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("samples/*.md")))


def notes(count: int, first: int = 0) -> Iterator[dict[str, bytes]]:
    """Files of plain text, each with a number that no other has."""
    words, draw = sources().split(), random.Random(first)  # noqa: S311  # no secret
    for number in range(first, first + count):
        text = " ".join(draw.choices(words, k=WORDS_PER_FILE))
        yield {f"note-{number}.txt": f"Note {number}. {text}".encode()}


def processor(folder: Path, documents: int, rounds: int, show: Show) -> dict[str, object]:
    """Single events and batches in turn, the median round of each, in ms for each document."""
    worker = Worker(folder, free_models())
    for file in notes(WARM_UP):
        _single(worker, file)
    singles: list[Spent] = []
    batches: list[Spent] = []
    for turn in range(rounds):
        first = WARM_UP + 2 * turn * documents
        before = Spent.now()
        for file in notes(documents, first):
            _single(worker, file)
        singles.append(Spent.now().since(before))
        for file in notes(documents, first + documents):
            worker.put(file)
        before = Spent.now()
        worker.ingest_all(worker.dispatch())
        batches.append(Spent.now().since(before))
        worker.forget()
        show(f"processor: round {turn + 1} of {rounds}")
    calls: Counter[str] = Counter()
    _single(Worker(folder / "calls", free_models(), calls=calls), next(notes(1)))
    return {
        "documents_of_a_round": documents,
        "rounds": rounds,
        "single_event": _figure(singles, documents, MOST_EVENT_MS),
        "in_batch": _figure(batches, documents, MOST_BATCH_MS),
        "calls_of_services_for_one_event": sum(calls.values()),
        "calls": dict(calls.most_common()),
    }


def _single(worker: Worker, file: dict[str, bytes]) -> None:
    worker.put(file)
    for order in worker.dispatch():
        worker.ingest(order)


def _figure(rounds: list[Spent], documents: int, most_ms: float) -> dict[str, object]:
    """The round with the median sum, its two parts, and the cheapest round: the least disturbed one."""
    ordered = sorted(rounds, key=lambda spent: spent.total_s)
    median, least = ordered[len(ordered) // 2], ordered[0]
    per_document = 1_000 / documents
    return {
        "cpu_ms": round(median.total_s * per_document, 3),
        "worker_ms": round(median.own_s * per_document, 3),
        "parser_processes_ms": round(median.children_s * per_document, 3),
        "least_cpu_ms": round(least.total_s * per_document, 3),
        "most_ms": most_ms,
        "is_reached": median.total_s * per_document <= most_ms,
    }


def large_text(folder: Path, show: Show) -> dict[str, object]:
    """A file of 1 MB of plain text, the second of two: what each of its chunks costs outside the model."""
    worker = Worker(folder, free_models())
    text = sources()
    data = (text * (LARGE_BYTES // len(text) + 1)).encode()[:LARGE_BYTES]
    spent = Spent(0.0, 0.0)
    for number in range(2):
        worker.put({f"large-{number}.txt": data})
        before = Spent.now()
        worker.ingest_all(worker.dispatch())
        spent = Spent.now().since(before)
    chunks = sum(row.chunk_count for row in worker.ledger.rows.values()) // 2
    show("large text: done")
    return {
        "bytes": LARGE_BYTES,
        "chunks": chunks,
        "cpu_s": round(spent.total_s, 2),
        "cpu_ms_per_chunk": round(spent.total_s * 1_000 / max(1, chunks), 3),
    }


def memory(folder: Path, documents: int, limit_s: float, show: Show) -> dict[str, object]:
    """Resident memory of worker and nursery, over documents that are all different, or until the limit."""
    worker = Worker(folder, free_models())
    samples: list[Memory] = []
    every = max(1, documents // SAMPLES)
    began = shown_at = time.monotonic()
    for number, file in enumerate(notes(documents), start=1):
        _single(worker, file)
        worker.forget()
        if number % every == 0:
            samples.append(Memory(number, resident_kib()))
        if time.monotonic() - began >= limit_s and len(samples) > 1:
            break
        if time.monotonic() - shown_at >= SHOW_EVERY_S:
            shown_at = time.monotonic()
            show(f"memory: {number} of {documents} documents, {resident_kib() // 1_024} MiB")
    return memory_figures(samples)
