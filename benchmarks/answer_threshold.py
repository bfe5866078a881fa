"""Measures from which relevance on a sentence answers a question, and what that costs.

    PYTHONPATH=layers/core/python python -m benchmarks.answer_threshold \
        http://127.0.0.1:8080 ../shared/datasets/squad2_500 ../shared/datasets/scifact > answer_threshold.json

Three kinds of questions are asked of one corpus (the paragraphs of `squad2_500`), each through the
real pipeline, index, answer service and model endpoint:

- `answerable`: a paragraph has the answer;
- `unanswerable`: SQuAD 2.0's, written to look answerable by a paragraph that does not answer them;
- `off_topic`: claims of SciFact, which no paragraph is about.

One half of the questions (by hash of the id) chooses the threshold, the other half is the report.
"""

import argparse
import hashlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.documents import DocumentKey, Epoch
from haylift.domain.errors import CacheUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.resilience import Deadline
from haylift.services.answer import AnswerPolicy, AnswerService
from haylift.services.query_cache import QueryCache
from haylift.telemetry import Metric

TENANT = "benchmark"
GENERATION = "g1"
MODEL = "bge-small-en-v1.5"
PASSAGES = 5
THRESHOLDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99)
LARGEST_FALSE_RATIO = 0.02
"""So many off-topic questions may be answered; the lowest threshold that keeps it is chosen."""


@dataclass(frozen=True)
class Measured:
    """One question: its kind, the relevance of the best sentence, whether it holds the gold answer."""

    question_id: str
    kind: str
    relevance: float
    is_right: bool
    duration_ms: float

    @property
    def is_for_choice(self) -> bool:
        """True for the half that chooses the threshold."""
        return hashlib.sha256(self.question_id.encode()).digest()[0] % 2 == 0


class DirectRuntime:
    """`invoke_endpoint` of boto3's `sagemaker-runtime`, sent straight to the container's `/invocations`."""

    def __init__(self, url: str, read_timeout_s: float) -> None:
        self._http = httpx.Client(base_url=url, timeout=read_timeout_s)

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        """The container's answer; an error status ends the benchmark."""
        headers = {
            "content-type": call["ContentType"],
            "x-amzn-sagemaker-custom-attributes": call["CustomAttributes"],
        }
        response = self._http.post("/invocations", content=call["Body"], headers=headers)
        response.raise_for_status()
        return {"Body": io.BytesIO(response.content)}


class NoTelemetry:
    """Records nothing."""

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        """Does nothing."""


class NoCache:
    """A shared cache that is down, so that every question is really answered."""

    def read(self, tenant: str, key: str) -> NoReturn:
        """Raises."""
        raise self._down(tenant, key)

    def write(self, tenant: str, key: str, epoch: Epoch, value: bytes, ttl_s: int) -> NoReturn:
        """Raises."""
        raise self._down(tenant, key, epoch, value, ttl_s)

    def publish(self, tenant: str, epoch: Epoch) -> NoReturn:
        """Raises."""
        raise self._down(tenant, epoch)

    def check(self) -> NoReturn:
        """Raises."""
        raise self._down()

    def _down(self, *asked: object) -> CacheUnavailable:
        return CacheUnavailable(f"no cache here, asked for {len(asked)} things", retry_after_s=1e9)


class OneTenant:
    """Every tenant is at the benchmark's generation."""

    def epoch(self, tenant: str) -> Epoch:
        """The epoch, whatever the tenant."""
        del tenant
        return Epoch(generation=GENERATION, content_version=1)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def fill(index: SqliteIndex, models: SageMakerModels, squad: Path) -> None:
    """Writes each paragraph as a chunk."""
    chunks: list[Chunk] = []
    for row in read_rows(squad / "corpus.jsonl"):
        key = DocumentKey(TENANT, row["_id"])
        chunks.append(
            Chunk(
                chunk_id=key.chunk_id(1, 0),
                document_id=key.document_id,
                key=key.object_key,
                revision=1,
                ordinal=0,
                title=row["title"],
                text=row["text"],
            )
        )
    vectors = models.embed_documents([chunk.embedded_text[:1_800] for chunk in chunks], Deadline.after(3_600))
    embedded = [
        EmbeddedChunk(chunk=chunk, vector=vector) for chunk, vector in zip(chunks, vectors, strict=True)
    ]
    index.write(TENANT, GENERATION, embedded)
    index.refresh(TENANT, GENERATION)


def questions(squad: Path, scifact: Path, sample: int) -> Iterable[tuple[str, str, str, list[str]]]:
    """Id, kind, text and gold answers; at most `sample` of each kind."""
    facts = json.loads((squad / "answers.json").read_text(encoding="utf-8"))
    asked = read_rows(squad / "queries.jsonl")
    by_kind = {
        "answerable": [row for row in asked if not facts[row["_id"]]["impossible"]],
        "unanswerable": [row for row in asked if facts[row["_id"]]["impossible"]],
        "off_topic": read_rows(scifact / "queries.jsonl"),
    }
    for kind, rows in by_kind.items():
        for row in rows[:sample]:
            gold = facts[row["_id"]]["answers"] if kind == "answerable" else []
            yield f"{kind}-{row['_id']}", kind, row["text"].strip(), gold


def measure(service: AnswerService, squad: Path, scifact: Path, sample: int) -> list[Measured]:
    """Asks every question of a service whose threshold is 0."""
    measured: list[Measured] = []
    for question_id, kind, text, gold in questions(squad, scifact, sample):
        started = time.perf_counter()
        request = SearchRequest(query=text, top_k=PASSAGES)
        answer = service.answer(request, Scope(tenant=TENANT), Deadline.after(60))
        duration_ms = (time.perf_counter() - started) * 1_000
        best = answer.citations[0] if answer.citations else None
        is_right = best is not None and any(one.casefold() in best.quote.casefold() for one in gold)
        measured.append(Measured(question_id, kind, best.score if best else 0.0, is_right, duration_ms))
        if len(measured) % 50 == 0:
            print(f"{len(measured)} questions", file=sys.stderr, flush=True)
    return measured


def row_at(threshold: float, measured: Iterable[Measured]) -> dict[str, float]:
    """What a threshold does to one half: shares of the questions of each kind."""
    by_kind: dict[str, list[Measured]] = {}
    for one in measured:
        by_kind.setdefault(one.kind, []).append(one)

    def share(kind: str, *, must_be_right: bool = False) -> float:
        rows = by_kind.get(kind, [])
        counted = [row for row in rows if row.relevance >= threshold and (row.is_right or not must_be_right)]
        return round(len(counted) / max(1, len(rows)), 3)

    return {
        "threshold": threshold,
        "answerable_answered": share("answerable"),
        "answerable_right": share("answerable", must_be_right=True),
        "unanswerable_answered": share("unanswerable"),
        "off_topic_answered": share("off_topic"),
    }


def choose(rows: Iterable[Mapping[str, float]]) -> float:
    """The lowest threshold that keeps `LARGEST_FALSE_RATIO`."""
    return min(row["threshold"] for row in rows if row["off_topic_answered"] <= LARGEST_FALSE_RATIO)


def report(measured: list[Measured]) -> dict[str, Any]:
    """The choice on one half and its effect on the other."""
    choice = [row_at(one, [row for row in measured if row.is_for_choice]) for one in THRESHOLDS]
    held_out = [row_at(one, [row for row in measured if not row.is_for_choice]) for one in THRESHOLDS]
    durations = sorted(one.duration_ms for one in measured)
    return {
        "chosen": choose(choice),
        "choice_half": choice,
        "held_out_half": held_out,
        "questions": len(measured),
        "p50_ms": round(durations[len(durations) // 2]),
        "p95_ms": round(durations[len(durations) * 95 // 100]),
        "measured": [asdict(one) for one in measured],
    }


def main() -> None:
    """Reads the arguments and prints the report as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("endpoint_url")
    parser.add_argument("squad", type=Path)
    parser.add_argument("scifact", type=Path)
    parser.add_argument("--sample", type=int, default=300, help="questions of each kind at most")
    arguments = parser.parse_args()
    invoker = ModelInvoker(
        "direct", NoTelemetry(), make=lambda wait_s: DirectRuntime(arguments.endpoint_url, wait_s)
    )
    models = SageMakerModels(invoker, MODEL)
    with tempfile.TemporaryDirectory() as folder:
        index = SqliteIndex(Path(folder))
        fill(index, models, arguments.squad)
        service = AnswerService(
            HaystackQueryPipeline(query_pipeline(index, models)),
            models,
            QueryCache(NoCache(), OneTenant()),
            telemetry=NoTelemetry(),
            model=MODEL,
            policy=AnswerPolicy(threshold=0.0),
        )
        print(json.dumps(report(measure(service, arguments.squad, arguments.scifact, arguments.sample))))


if __name__ == "__main__":
    main()
