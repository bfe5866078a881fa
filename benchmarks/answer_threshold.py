"""Measures from which relevance on a sentence answers a question, and what that costs.

    PYTHONPATH=layers/core/python python -m benchmarks.answer_threshold \
        http://127.0.0.1:8080 ../shared/datasets/squad2_500 ../shared/datasets/scifact \
        > benchmarks/results/answer_threshold.json

Four kinds of questions go through the real pipeline, index, answer service and model endpoint:

- `answerable`: a paragraph of the SQuAD corpus has the answer;
- `unanswerable`: SQuAD 2.0's, written to look answerable by a paragraph that does not answer them;
- `off_topic_claim`: claims of SciFact asked of the SQuAD corpus, which no paragraph is about;
- `off_topic_question`: SQuAD's questions asked of SciFact abstracts.

One half of the questions (by hash of the id) chooses the threshold, the other half is the report. The
same is done for answers without the cross-encoder, where shared words decide.
"""

import argparse
import hashlib
import io
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.documents import DocumentKey, Epoch
from haylift.domain.errors import CacheUnavailable, ModelUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.ports import Reranker
from haylift.resilience import Deadline
from haylift.services.answer import DEFAULT_PASSAGES, AnswerPolicy, AnswerService
from haylift.services.query_cache import QueryCache
from haylift.telemetry import Metric

PARAGRAPHS = "paragraphs"
ABSTRACTS = "abstracts"
"""The two tenants: SQuAD's paragraphs, and as many of SciFact's abstracts."""

ABSTRACTS_COUNT = 600
EMBEDDED_CHARS = 1_600
"""Longer texts are cut before they are embedded, since the model reads 512 tokens."""

GENERATION = "g1"
MODEL = "bge-small-en-v1.5"
THRESHOLDS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
LARGEST_FALSE_RATIO = 0.02
"""So many off-topic questions of each kind may be answered; the lowest threshold that keeps it is chosen."""


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

    def _down(self, *asked: object, **named: object) -> NoReturn:
        raise CacheUnavailable(f"asked for {len(asked) + len(named)} things in vain", retry_after_s=1e9)

    read = write = publish = check = _down


class OneTenant:
    """Every tenant is at the benchmark's generation."""

    def epoch(self, tenant: str) -> Epoch:
        """The epoch, whatever the tenant."""
        del tenant
        return Epoch(generation=GENERATION, content_version=1)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def fill(index: SqliteIndex, models: SageMakerModels, tenant: str, rows: Sequence[dict[str, Any]]) -> None:
    """Writes each row of a corpus as a document of one chunk."""
    chunks: list[Chunk] = []
    for row in rows:
        key = DocumentKey(tenant, row["_id"])
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
    texts = [chunk.embedded_text[:EMBEDDED_CHARS] for chunk in chunks]
    vectors = models.embed_documents(texts, Deadline.after(3_600))
    pairs = zip(chunks, vectors, strict=True)
    index.write(tenant, GENERATION, [EmbeddedChunk(chunk=chunk, vector=vector) for chunk, vector in pairs])
    index.refresh(tenant, GENERATION)


@dataclass(frozen=True)
class Asked:
    """A question, whom it is asked, and its gold answers."""

    question_id: str
    kind: str
    tenant: str
    text: str
    gold: tuple[str, ...] = ()


def questions(squad: Path, scifact: Path, sample: int) -> list[Asked]:
    """At most `sample` questions of each kind."""
    facts = json.loads((squad / "answers.json").read_text(encoding="utf-8"))
    rows = read_rows(squad / "queries.jsonl")
    answerable = [row for row in rows if not facts[row["_id"]]["impossible"]]
    unanswerable = [row for row in rows if facts[row["_id"]]["impossible"]]
    claims = read_rows(scifact / "queries.jsonl")
    kinds = [
        ("answerable", PARAGRAPHS, answerable),
        ("unanswerable", PARAGRAPHS, unanswerable),
        ("off_topic_claim", PARAGRAPHS, claims),
        ("off_topic_question", ABSTRACTS, rows),
    ]
    return [
        Asked(
            question_id=f"{kind}-{row['_id']}",
            kind=kind,
            tenant=tenant,
            text=row["text"].strip(),
            gold=tuple(facts[row["_id"]]["answers"]) if kind == "answerable" else (),
        )
        for kind, tenant, kind_rows in kinds
        for row in kind_rows[:sample]
    ]


def measure(service: AnswerService, all_asked: Sequence[Asked]) -> list[Measured]:
    """Asks every question of a service whose thresholds are 0."""
    measured: list[Measured] = []
    for asked in all_asked:
        started = time.perf_counter()
        request = SearchRequest(query=asked.text, top_k=DEFAULT_PASSAGES)
        answer = service.answer(request, Scope(tenant=asked.tenant), Deadline.after(60))
        duration_ms = (time.perf_counter() - started) * 1_000
        best = answer.citations[0] if answer.citations else None
        is_right = best is not None and any(one.casefold() in best.quote.casefold() for one in asked.gold)
        relevance = best.score if best else 0.0
        measured.append(Measured(asked.question_id, asked.kind, relevance, is_right, duration_ms))
        if len(measured) % 50 == 0:
            print(f"{len(measured)} of {len(all_asked)} questions", file=sys.stderr, flush=True)
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
        "off_topic_claim_answered": share("off_topic_claim"),
        "off_topic_question_answered": share("off_topic_question"),
    }


def choose(rows: Iterable[Mapping[str, float]]) -> float | None:
    """The lowest threshold that keeps `LARGEST_FALSE_RATIO` for both kinds; None when none does."""
    kept = [
        row["threshold"]
        for row in rows
        if max(row["off_topic_claim_answered"], row["off_topic_question_answered"]) <= LARGEST_FALSE_RATIO
    ]
    return min(kept, default=None)


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
    }


class NoReranker:
    """A cross-encoder that is away, so that shared words decide."""

    def rerank(self, query: str, passages: Sequence[str], deadline: Deadline) -> NoReturn:
        """Raises."""
        del query, passages, deadline
        raise ModelUnavailable("away")


def answer_service(index: SqliteIndex, models: SageMakerModels, reranker: Reranker) -> AnswerService:
    """A service that answers every question with its best sentence."""
    return AnswerService(
        HaystackQueryPipeline(query_pipeline(index, models)),
        reranker,
        QueryCache(NoCache(), OneTenant()),
        telemetry=NoTelemetry(),
        model=MODEL,
        policy=AnswerPolicy(threshold=0.0, lexical_threshold=0.0),
    )


def main() -> None:
    """Reads the arguments and prints the report as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("endpoint_url")
    parser.add_argument("squad", type=Path)
    parser.add_argument("scifact", type=Path)
    parser.add_argument("--sample", type=int, default=200, help="questions of each kind at most")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # each question without cross-encoder would say so
    invoker = ModelInvoker(
        "direct", NoTelemetry(), make=lambda wait_s: DirectRuntime(arguments.endpoint_url, wait_s)
    )
    models = SageMakerModels(invoker, MODEL)
    asked = questions(arguments.squad, arguments.scifact, arguments.sample)
    with tempfile.TemporaryDirectory() as folder:
        index = SqliteIndex(Path(folder))
        fill(index, models, PARAGRAPHS, read_rows(arguments.squad / "corpus.jsonl"))
        fill(index, models, ABSTRACTS, read_rows(arguments.scifact / "corpus.jsonl")[:ABSTRACTS_COUNT])
        by_words = report(measure(answer_service(index, models, NoReranker()), asked))
        by_model = report(measure(answer_service(index, models, models), asked))
    print(json.dumps({"cross_encoder": by_model, "shared_words": by_words}, indent=1))


if __name__ == "__main__":
    main()
