"""Texts become vectors and relevances, in order, in bounded batches."""

from array import array
from typing import Any

import pytest
from haylift.adapters.model_endpoint import BATCH_BYTES, BATCH_TEXTS, SageMakerModels, batches
from haylift.adapters.model_invocation import CallPolicy, ModelInvoker
from haylift.domain.errors import InvalidInput, ModelUnavailable
from haylift.resilience import Deadline, RetryBudget
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.runtime import Answer, FakeRuntime, embeddings, model_error
from tests.fakes.search import FakeTime


def models(runtime: FakeRuntime) -> SageMakerModels:
    policy = CallPolicy(budget=RetryBudget(ratio=0.0, saved=0.0))
    return SageMakerModels(
        ModelInvoker("e", RecordedTelemetry(), make=lambda _: runtime, policy=policy), "bge"
    )


def deadline() -> Deadline:
    return FakeTime().deadline(30.0)


def test_a_question_is_embedded_as_a_query() -> None:
    runtime = FakeRuntime([embeddings([0.5, -0.25])])

    vector = models(runtime).embed_query("why?", deadline())

    assert vector == array("f", [0.5, -0.25])
    assert runtime.bodies == [
        {
            "task": "embed",
            "model": "bge",
            "input": ["why?"],
            "input_type": "query",
            "encoding_format": "base64",
            "truncate": True,
        }
    ]


def test_documents_are_sent_in_batches_and_come_back_in_order() -> None:
    runtime = FakeRuntime(
        [embeddings(*[[float(i)] for i in range(16)]), embeddings(*[[16.0 + i] for i in range(8)])]
    )

    vectors = models(runtime).embed_documents([f"text {i}" for i in range(24)], deadline())

    assert [vector[0] for vector in vectors] == [float(i) for i in range(24)]
    assert [len(body["input"]) for body in runtime.bodies] == [16, 8]
    assert {body["input_type"] for body in runtime.bodies} == {"document"}
    assert "class=document" in runtime.calls[0]["CustomAttributes"]


def test_rows_in_another_order_are_put_right() -> None:
    answer = embeddings([1.0], [2.0])
    answer["data"].reverse()

    vectors = models(FakeRuntime([answer])).embed_documents(["a", "b"], deadline())

    assert [vector[0] for vector in vectors] == [1.0, 2.0]


def test_a_text_that_is_too_long_is_named_among_all_texts() -> None:
    answers: list[Answer] = [
        embeddings(*[[0.0]] * 16),
        model_error(400, "input_too_long", param="input[3]"),
    ]

    with pytest.raises(InvalidInput) as caught:
        models(FakeRuntime(answers)).embed_documents(["text"] * 24, deadline())

    assert (caught.value.code, caught.value.where) == ("text_too_long", "19")


def test_a_question_that_is_refused_leaves_the_search_to_words() -> None:
    with pytest.raises(ModelUnavailable):
        models(FakeRuntime([model_error(400, "invalid_request")])).embed_query("a", deadline())


def test_relevances_stand_in_the_order_of_the_passages() -> None:
    results = [{"index": 1, "relevance_score": 0.9, "logit": 2.2}, {"index": 0, "relevance_score": 0.1}]
    runtime = FakeRuntime([{"model": "m", "results": results}])

    relevances = models(runtime).rerank("why?", ["no", "yes"], deadline())

    assert relevances == [0.1, 0.9]
    assert runtime.bodies == [
        {"task": "rerank", "query": "why?", "documents": ["no", "yes"], "truncate": True}
    ]


def test_nothing_to_rerank_is_no_call() -> None:
    runtime = FakeRuntime([{}])

    assert models(runtime).rerank("why?", [], deadline()) == []
    assert runtime.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"data": [{"index": 1, "embedding": "AAAAAA=="}]},
        {"data": [{"index": 0, "embedding": ""}]},
        {"data": [{"index": 0, "embedding": "AAA="}]},
        {"data": [{"index": 0, "embedding": "no base64"}]},
        {"data": [{"index": 0, "embedding": 5}]},
        {"data": 5},
    ],
)
def test_an_answer_without_every_vector_is_a_fault(answer: dict[str, Any]) -> None:
    with pytest.raises(ModelUnavailable):
        models(FakeRuntime([answer])).embed_query("a", deadline())


@pytest.mark.parametrize(
    "answer",
    [{}, {"results": []}, {"results": [{"index": 0}]}, {"results": [{"index": 0, "relevance_score": "x"}]}],
)
def test_an_answer_without_every_relevance_is_a_fault(answer: dict[str, Any]) -> None:
    with pytest.raises(ModelUnavailable):
        models(FakeRuntime([answer])).rerank("a", ["b"], deadline())


@given(st.lists(st.text(max_size=40), max_size=100))
def test_batches_keep_every_text_in_order(texts: list[str]) -> None:
    cut = list(batches(texts))

    assert [text for batch in cut for text in batch] == texts
    assert all(1 <= len(batch) <= BATCH_TEXTS for batch in cut)


def test_batches_are_bounded_in_bytes() -> None:
    text = "é" * (BATCH_BYTES // 4)

    assert [len(batch) for batch in batches([text] * 5)] == [2, 2, 1]
