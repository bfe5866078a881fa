"""Answers a question with a sentence of the tenant's documents, word for word."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from haylift.domain.chunks import Hit
from haylift.domain.documents import earliest_expiry
from haylift.domain.errors import KEYWORD_ONLY, DeadlineExceeded, HayliftError, ModelUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, Citation, QuestionAnswer, Retrieved, SearchRequest
from haylift.ports import QueryPipeline, Reranker
from haylift.resilience import Deadline
from haylift.services.cached_values import answer_from_bytes, answer_to_bytes
from haylift.services.query_cache import CacheKey, QueryCache
from haylift.services.ranking import Ranking, SentenceRanking, answer_version
from haylift.services.search import record_lookup
from haylift.services.sentence_choice import chosen, overlap_ratio
from haylift.services.sentences import Sentence, sentences
from haylift.telemetry import Metric, Telemetry
from haylift.tracing import Hop, hop

DO_NOT_KNOW = "I do not know: no passage of your documents answers this question."
LIMITED_NOW = (
    "I cannot say for now: answers are limited, and by its words alone no sentence of your documents "
    "answers this question. Ask again later."
)
"""Said instead while the model is away: the documents may well hold the answer."""

NO_RERANK = "no_rerank"
QUESTION = "question"
"""The `query_type` of questions in the metric of searches."""

ANSWER_FORM = "extractive-3"
DEFAULT_PASSAGES = 5
"""Passages whose sentences are weighed when the caller does not say."""

RERANK_SHARE = 0.8
"""Of the time that is left when reranking starts; the rest is for the answer without it."""

RERANK_PATIENCE_S = 6.0
"""Longer nobody waits for the cross-encoder: twelve sentences take about 1 s on an idle CPU."""

logger = logging.getLogger("haylift.answer")


@dataclass(frozen=True, kw_only=True)
class AnswerPolicy:
    """When a sentence answers.

    Args:
        threshold: least relevance (0 to 1) by the cross-encoder; chosen in
            docs/decisions/0020-answer-threshold.md.
        lexical_threshold: least share of the question's weighted words, used without cross-encoder.
        second_gap: a second sentence is added when its log-odds are at most so much below the best one's;
            chosen in the same place. Relevances themselves are all near 1 and do not tell them apart.
        max_pairs: sentences that the cross-encoder reads; each costs 70-110 CPU ms.
    """

    threshold: float
    lexical_threshold: float = 0.5
    second_gap: float = 1.0
    max_pairs: int = 12


@dataclass(frozen=True)
class Judged:
    """A sentence and how well it answers, 0 to 1."""

    sentence: Sentence
    relevance: float


class AnswerService:
    """Answers questions from documents, and says so when they hold no answer.

    Args:
        pipeline: finds the passages.
        reranker: the cross-encoder that reads question and sentence together.
        model: name of the embedding model, part of every cache key.
    """

    def __init__(
        self,
        pipeline: QueryPipeline,
        reranker: Reranker,
        cache: QueryCache,
        *,
        telemetry: Telemetry,
        model: str,
        policy: AnswerPolicy,
    ) -> None:
        self._pipeline = pipeline
        self._reranker = reranker
        self._cache = cache
        self._telemetry = telemetry
        self._model = model
        self._policy = policy

    def answer(self, question: SearchRequest, scope: Scope, deadline: Deadline) -> QuestionAnswer:
        """One or two sentences from the best `question.top_k` passages, each with its citation.

        Without the cross-encoder the sentence that shares most with the question is taken and the
        answer is degraded (`no_rerank`, or `keyword_only` where operators want it so).

        Side effects: keeps the answer in the cache, unless degraded.

        Raises:
            IndexUnavailable, StoreUnavailable: there is no answer without documents; retry later.
            DeadlineExceeded: `query_timeout`.
        """
        try:
            answer = self._answer(question, scope, deadline)
        except DeadlineExceeded as over:
            self._record("error")
            detail = "The time for this question is over; ask again with a longer `timeout` (at most 28 s)."
            raise DeadlineExceeded(detail, code="query_timeout") from over
        except HayliftError:
            self._record("error")
            raise
        self._record("true" if answer.success else "false")
        return answer

    def _answer(self, question: SearchRequest, scope: Scope, deadline: Deadline) -> QuestionAnswer:
        version = answer_version(ANSWER_FORM, Ranking(), SentenceRanking(), self._policy)
        key = CacheKey.of(question, scope, kind="query", model=self._model, version=version)
        found = self._cache.lookup(key)
        known = answer_from_bytes(found.value)
        level: CacheLevel | None = found.level if known is not None else None
        record_lookup(self._telemetry, level)
        if known is not None:
            return replace(known, cache_level=level)
        retrieved = self._pipeline.run(question, scope, found.epoch.generation, deadline)
        answer = self._extracted(question.query, retrieved, deadline)
        if answer.degraded is None:
            # What is weighed decides, quoted or not: that none of it answers is said of all of it.
            until = earliest_expiry(*(hit.expires_at for hit in retrieved.hits))
            self._cache.store(key, found.epoch, answer_to_bytes(answer), until=until)
        else:
            self._telemetry.record(Metric.DEGRADED_ANSWERS, 1, reason=answer.degraded)
        return answer

    def _extracted(self, question: str, retrieved: Retrieved, deadline: Deadline) -> QuestionAnswer:
        candidates = chosen(question, _sentences_of(retrieved.hits), self._policy.max_pairs)
        if not candidates:
            return _quoting((), degraded=retrieved.degraded)
        if retrieved.degraded == KEYWORD_ONLY:
            return self._by_words(question, candidates, KEYWORD_ONLY)
        try:
            judged = self._judged(question, candidates, deadline)
            answering = best_sentences(judged, self._policy.threshold, self._policy.second_gap)
            return _quoting(answering, degraded=retrieved.degraded)
        except (ModelUnavailable, DeadlineExceeded) as fault:
            deadline.require()
            logger.warning("question goes on without reranking", extra={"code": fault.code})
            return self._by_words(question, candidates, NO_RERANK)

    def _by_words(self, question: str, candidates: Sequence[Sentence], reason: str) -> QuestionAnswer:
        by_words = [
            Judged(sentence, overlap_ratio(question, sentence, candidates)) for sentence in candidates
        ]
        answering = best_sentences(by_words, self._policy.lexical_threshold, second_gap=None)
        return _quoting(answering, degraded=reason)

    def _judged(self, question: str, candidates: Sequence[Sentence], deadline: Deadline) -> list[Judged]:
        share = deadline.within(min(deadline.remaining_s * RERANK_SHARE, RERANK_PATIENCE_S))
        passages = [sentence.with_context for sentence in candidates]
        with hop(Hop.RERANK, passages=len(passages)):
            relevances = self._reranker.rerank(question, passages, share)
        return [
            Judged(sentence, relevance) for sentence, relevance in zip(candidates, relevances, strict=True)
        ]

    def _record(self, has_results: str) -> None:
        self._telemetry.record(Metric.SEARCH_QUERIES, 1, query_type=QUESTION, has_results=has_results)


def best_sentences(
    judged: Iterable[Judged], threshold: float, second_gap: float | None
) -> tuple[Judged, ...]:
    """The best sentence at or above the threshold, and the next one if it is nearly as good.

    Args:
        second_gap: largest difference in log-odds to the best one; None: never a second sentence.
    """
    ranked = sorted(judged, key=lambda judged: judged.relevance, reverse=True)
    able = [one for one in ranked if one.relevance >= threshold][:2]
    if len(able) < 2 or second_gap is None:
        return tuple(able[:1])
    gap = log_odds(able[0].relevance) - log_odds(able[1].relevance)
    return tuple(able if gap <= second_gap else able[:1])


def log_odds(relevance: float) -> float:
    """The cross-encoder's own score behind a relevance from 0 to 1; -27 to 27.

    >>> [round(log_odds(relevance), 2) for relevance in (0.0, 0.5, 0.9, 0.99, 1.0)]
    [-27.63, 0.0, 2.2, 4.6, 27.63]
    """
    bounded = min(max(relevance, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))


def _sentences_of(hits: Iterable[Hit]) -> list[Sentence]:
    """Each different sentence once, in the order of the passages (chunks overlap)."""
    found: dict[str, Sentence] = {}
    for hit in hits:
        for text in sentences(hit.chunk.text):
            found.setdefault(" ".join(text.split()), Sentence(text, hit))
    return list(found.values())


def _quoting(answering: Sequence[Judged], *, degraded: str | None) -> QuestionAnswer:
    if not answering:
        return QuestionAnswer(answer=LIMITED_NOW if degraded else DO_NOT_KNOW, degraded=degraded)
    texts = [" ".join(one.sentence.text.split()) for one in answering]
    citations = tuple(_citation(one) for one in answering)
    return QuestionAnswer(answer=" ".join(texts), citations=citations, success=True, degraded=degraded)


def _citation(judged: Judged) -> Citation:
    chunk = judged.sentence.hit.chunk
    starts, ends = chunk.place_of(judged.sentence.text) or (None, None)
    return Citation(
        document_id=chunk.document_id,
        key=chunk.key,
        title=chunk.title,
        quote=judged.sentence.text,
        page=chunk.page,
        heading=chunk.headings[-1] if chunk.headings else None,
        slide=chunk.slide,
        sheet=chunk.sheet or None,
        start_char=starts,
        end_char=ends,
        score=round(judged.relevance, 4),
    )
