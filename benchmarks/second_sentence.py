"""Measures when a second sentence helps an answer, by its gap to the best one in log-odds.

    PYTHONPATH=layers/core/python python -m benchmarks.second_sentence \
        http://127.0.0.1:8080 ../shared/datasets/squad2_500 > benchmarks/results/second_sentence.json

The answerable questions of SQuAD go through the real pipeline, index, answer service and model endpoint.
Of the two sentences that the cross-encoder finds most relevant, both at or above the threshold, the report
says how often the gold answer stands in the first, and what a second sentence adds for each largest gap.
One half of the questions (by hash of the id) chooses the gap, the other half is the report.
"""

import argparse
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import ModelInvoker
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.identity import Scope
from haylift.domain.search import SearchRequest
from haylift.resilience import Deadline
from haylift.services.answer import DEFAULT_PASSAGES, log_odds

from benchmarks.answer_threshold import (
    MODEL,
    PARAGRAPHS,
    DirectRuntime,
    Measured,
    NoTelemetry,
    answer_service,
    fill,
    questions,
    read_rows,
)

THRESHOLD = 0.5
GAPS = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 99.0)
"""Log-odds; 0 adds hardly any second sentence, 99 every one above the threshold."""

SHARE = 0.9
"""The rule to compare with: a second sentence with this share of the best one's relevance."""


@dataclass
class RecordingReranker:
    """The cross-encoder, with what it was last asked and said."""

    models: SageMakerModels
    last: list[tuple[float, str]] = field(default_factory=list)

    def rerank(self, query: str, passages: Sequence[str], deadline: Deadline) -> list[float]:
        """The models' relevances, kept with their passages, best first."""
        relevances = self.models.rerank(query, passages, deadline)
        self.last = sorted(zip(relevances, passages, strict=True), reverse=True)
        return relevances


@dataclass(frozen=True)
class Pair:
    """The two best sentences of a question, and which of them hold the gold answer.

    `gap` (log-odds) and `share` (of relevances) compare the second with the first; None without a second.
    """

    question_id: str
    gap: float | None
    share: float | None
    is_first_right: bool
    is_second_right: bool

    @property
    def is_for_choice(self) -> bool:
        """True for the half that chooses the gap."""
        return Measured(self.question_id, "", 0.0, is_right=False, duration_ms=0.0).is_for_choice


def pair_of(question_id: str, gold: Sequence[str], judged: Sequence[tuple[float, str]]) -> Pair | None:
    """The pair of a question, from its sentences, best first; None when nothing reaches the threshold."""
    able = [(relevance, text) for relevance, text in judged[:2] if relevance >= THRESHOLD]
    if not able:
        return None
    right = [_holds(text, gold) for _, text in able]
    if len(able) < 2:
        return Pair(question_id, None, None, right[0], is_second_right=False)
    (best, _), (second, _) = able
    return Pair(question_id, log_odds(best) - log_odds(second), second / best, *right)


def _holds(passage: str, gold: Sequence[str]) -> bool:
    return any(one.casefold() in passage.casefold() for one in gold)


def row(rule: str, known: Sequence[Pair], added: Sequence[Pair]) -> dict[str, object]:
    """What a rule does that adds these second sentences: right answers, and what the sentences are worth."""
    helping = [pair for pair in added if pair.is_second_right and not pair.is_first_right]
    right = sum(pair.is_first_right for pair in known) + len(helping)
    return {
        "rule": rule,
        "questions": len(known),
        "right": round(right / max(1, len(known)), 3),
        "with_second": round(len(added) / max(1, len(known)), 3),
        "second_helps": len(helping),
        "second_is_idle": len(added) - len(helping),
    }


def rows(known: Sequence[Pair]) -> list[dict[str, object]]:
    """One row for each gap, and one for the rule to compare with."""
    by_gap = [
        row(f"gap {gap:g}", known, [pair for pair in known if pair.gap is not None and pair.gap <= gap])
        for gap in GAPS
    ]
    by_share = [pair for pair in known if pair.share is not None and pair.share >= SHARE]
    return [*by_gap, row(f"share {SHARE:g}", known, by_share)]


def report(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The rows of the choosing half and of the other."""
    return {
        "choice_half": rows([pair for pair in pairs if pair.is_for_choice]),
        "held_out_half": rows([pair for pair in pairs if not pair.is_for_choice]),
    }


def main() -> None:
    """Reads the arguments and prints the report as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("endpoint_url")
    parser.add_argument("squad", type=Path)
    parser.add_argument("--sample", type=int, default=250, help="questions at most")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    invoker = ModelInvoker(
        "direct", NoTelemetry(), make=lambda wait_s: DirectRuntime(arguments.endpoint_url, wait_s)
    )
    reranker = RecordingReranker(SageMakerModels(invoker, MODEL))
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory() as folder:
        index = SqliteIndex(Path(folder))
        fill(index, reranker.models, PARAGRAPHS, read_rows(arguments.squad / "corpus.jsonl"))
        service = answer_service(index, reranker.models, reranker)
        for asked in questions(arguments.squad, arguments.squad, arguments.sample):
            if asked.kind != "answerable":
                continue
            request = SearchRequest(query=asked.text, top_k=DEFAULT_PASSAGES)
            service.answer(request, Scope(tenant=asked.tenant), Deadline.after(60))
            pair = pair_of(asked.question_id, asked.gold, reranker.last)
            pairs += [pair] if pair else []
    print(json.dumps(report(pairs), indent=1))


if __name__ == "__main__":
    main()
