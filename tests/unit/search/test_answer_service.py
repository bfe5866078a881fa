"""Answers are sentences of documents, or the honest word that there is none."""

from dataclasses import dataclass, field

import pytest
from haylift.domain.chunks import Hit
from haylift.domain.errors import DeadlineExceeded, HayliftError, IndexUnavailable, ModelUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, QuestionAnswer, SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.services.answer import (
    DO_NOT_KNOW,
    AnswerPolicy,
    AnswerService,
    Judged,
    best_sentences,
)
from haylift.services.query_cache import QueryCache
from haylift.services.sentences import Sentence
from haylift.telemetry import Metric

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels, FakeTime, FaultyIndex, chunk, filled_index

ACME = Scope(tenant="acme")
HARBOUR = chunk(
    "The office opens at seven. A lost key of the boathouse\nis replaced for twelve euros. Boats may stay.",
    path="harbour.md",
    title="Harbour handbook",
    page=4,
    headings=("Harbour handbook", "Lost keys"),
)
QUESTION = "What does a lost key of the boathouse cost?"


@dataclass
class Setup:
    """An answer service over fakes."""

    index: FaultyIndex = field(default_factory=lambda: filled_index(HARBOUR))
    models: FakeModels = field(default_factory=FakeModels)
    shared: InMemorySharedCache = field(default_factory=InMemorySharedCache)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    time: FakeTime = field(default_factory=FakeTime)
    threshold: float = 0.5

    def __post_init__(self) -> None:
        self.service = AnswerService(
            HaystackQueryPipeline(query_pipeline(self.index, self.models)),
            self.models,
            QueryCache(self.shared, InMemoryTenants(), monotonic=self.time.now),
            telemetry=self.telemetry,
            model="bge",
            policy=AnswerPolicy(threshold=self.threshold),
        )

    def ask(self, question: str = QUESTION, *, seconds: float = 30.0) -> QuestionAnswer:
        request = SearchRequest(query=question, top_k=5)
        return self.service.answer(request, ACME, self.time.deadline(seconds))


def test_the_answer_is_a_sentence_with_its_place() -> None:
    answer = Setup().ask()

    assert answer.success is True
    assert answer.answer == "A lost key of the boathouse is replaced for twelve euros."
    assert len(answer.citations) == 1
    citation = answer.citations[0]
    assert citation.quote == "A lost key of the boathouse\nis replaced for twelve euros."
    assert citation.quote in HARBOUR.text
    assert citation.document_id == HARBOUR.document_id
    assert (citation.key, citation.title) == ("documents/acme/harbour.md", "Harbour handbook")
    assert (citation.page, citation.heading) == (4, "Lost keys")
    assert 0.5 <= citation.score <= 1.0


def test_nothing_that_fits_is_said_so() -> None:
    setup = Setup()

    answer = setup.ask("Which enzyme phosphorylates glycogen?")

    assert (answer.answer, answer.success, answer.citations) == (DO_NOT_KNOW, False, ())
    assert answer.degraded is None
    assert setup.telemetry.dimensions_of(Metric.SEARCH_QUERIES) == [
        {"query_type": "question", "has_results": "false"}
    ]


def test_an_empty_index_is_no_error() -> None:
    answer = Setup(index=filled_index()).ask()

    assert (answer.answer, answer.success) == (DO_NOT_KNOW, False)


def test_no_more_than_twelve_pairs_are_judged() -> None:
    long = " ".join(f"A lost key number {number} is kept." for number in range(60))
    setup = Setup(index=filled_index(*(chunk(long, path=f"{number}.md") for number in range(5))))

    setup.ask()

    assert len(setup.models.pairs) == 12


def test_sentences_of_overlapping_chunks_are_judged_once() -> None:
    twins = (chunk(HARBOUR.text, path="harbour.md", ordinal=number) for number in range(3))
    setup = Setup(index=filled_index(*twins))

    setup.ask()

    assert len(setup.models.pairs) == len(set(setup.models.pairs)) == 3


def test_the_judge_sees_the_heading() -> None:
    setup = Setup()

    setup.ask()

    assert ("Lost keys: The office opens at seven.") in [passage for _, passage in setup.models.pairs]


def test_a_known_question_is_answered_from_the_cache() -> None:
    setup = Setup()
    first = setup.ask()

    second = setup.ask()
    elsewhere = Setup(index=setup.index, shared=setup.shared).ask()

    assert (first.cache_level, second.cache_level) == (None, CacheLevel.PROCESS)
    assert elsewhere.cache_level is CacheLevel.SHARED
    assert first.answer == second.answer == elsewhere.answer
    assert second.citations == first.citations


def test_another_threshold_is_another_answer() -> None:
    setup = Setup()
    setup.ask()

    assert Setup(index=setup.index, shared=setup.shared, threshold=0.4).ask().cache_level is None


@pytest.mark.parametrize("fault", [ModelUnavailable("away"), DeadlineExceeded("slow")])
def test_without_the_judge_words_decide_and_the_answer_says_so(fault: HayliftError) -> None:
    setup = Setup(models=FakeModels(rerank_fault=fault))

    first = setup.ask("lost key boathouse replaced")
    second = setup.ask("lost key boathouse replaced")

    assert first.answer == "A lost key of the boathouse is replaced for twelve euros."
    assert (first.success, first.degraded) == (True, "no_rerank")
    assert second.cache_level is None
    assert setup.telemetry.dimensions_of(Metric.DEGRADED_ANSWERS) == [{"reason": "no_rerank"}] * 2


def test_without_the_judge_a_foreign_question_is_not_answered() -> None:
    setup = Setup(models=FakeModels(fault=ModelUnavailable("away")))

    answer = setup.ask("Which enzyme opens the glycogen office?")

    assert (answer.success, answer.degraded) == (False, "no_rerank")


def test_without_index_there_is_no_answer() -> None:
    setup = Setup(index=FaultyIndex(fault=IndexUnavailable("gone")))

    with pytest.raises(IndexUnavailable):
        setup.ask()

    assert setup.telemetry.dimensions_of(Metric.SEARCH_QUERIES) == [
        {"query_type": "question", "has_results": "error"}
    ]


def test_an_ended_deadline_is_a_query_timeout() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        Setup().ask(seconds=0.0)

    assert caught.value.code == "query_timeout"


def judged(relevance: float) -> Judged:
    return Judged(Sentence("One two three.", Hit(chunk=HARBOUR, score=1.0)), relevance)


@pytest.mark.parametrize(
    ("relevances", "kept"),
    [
        ([0.2, 0.49], []),
        ([0.5, 0.1], [0.5]),
        ([0.3, 0.99, 0.98, 0.975], [0.99, 0.98]),
        ([0.99, 0.6], [0.99]),
        ([1.0, 1.0], [1.0, 1.0]),
        ([], []),
    ],
)
def test_one_or_two_sentences_from_the_threshold_on(relevances: list[float], kept: list[float]) -> None:
    best = best_sentences([judged(one) for one in relevances], 0.5, 1.0)

    assert [one.relevance for one in best] == kept


def test_without_a_gap_there_is_never_a_second_sentence() -> None:
    assert len(best_sentences([judged(0.9), judged(0.9)], 0.5, None)) == 1


def check_leaves_out_what_is_only_near(second_gap: float) -> None:
    """Of two sentences near 1, the one that is clearly behind in log-odds (9.7 and 5.0) is not quoted."""
    best = best_sentences([judged(0.99994), judged(0.993)], 0.5, second_gap)
    assert [one.relevance for one in best] == [0.99994]


def test_relevances_near_1_are_told_apart() -> None:
    check_leaves_out_what_is_only_near(AnswerPolicy(threshold=0.5).second_gap)
    with pytest.raises(AssertionError):
        check_leaves_out_what_is_only_near(second_gap=5.0)


def answers_foreign_questions(threshold: float) -> bool:
    """The check: is a question that no document is about answered?"""
    return Setup(threshold=threshold).ask("Which enzyme phosphorylates glycogen?").success


def test_the_threshold_keeps_foreign_questions_out() -> None:
    assert not answers_foreign_questions(0.5)


def test_without_a_threshold_foreign_questions_are_answered() -> None:
    assert answers_foreign_questions(0.0)
