"""The real models: what their vectors and scores mean, and that a wrong file is refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from haylift_endpoint.batching.engine import Call, Engine, TokenizerPool
from haylift_endpoint.batching.lane import ThreadLane
from haylift_endpoint.batching.selection import Limits
from haylift_endpoint.bootstrap import build_engine
from haylift_endpoint.errors import InputTooLong, StartupError
from haylift_endpoint.inference.hardware import BatchLimits
from haylift_endpoint.inference.onnx import OnnxModel
from haylift_endpoint.inference.registry import ModelSpec, find_model, read_registry
from haylift_endpoint.ports import Pair, Prepared, RequestClass, Text
from haylift_endpoint.service import EmbeddingService, ServedModel, sigmoid
from haylift_endpoint.settings import Settings
from tests.fakes import CountingObserver, call

SETTINGS = Settings(intra_op_threads=1)
REGISTRY = read_registry()
BATCHED = BatchLimits(max_items=8, max_tokens=2048, max_padding_tokens=64)
ALONE = BatchLimits(max_items=1, max_tokens=2048, max_padding_tokens=64)

# Dynamic int8 lets a vector move with its neighbours: up to 5e-3 was measured, see README.
BATCH_TOLERANCE = 1e-2

SENTENCES = (
    "The cat sleeps on the warm windowsill all afternoon.",
    "A kitten is napping in the sun by the window.",
    "Quarterly revenue rose by twelve percent on strong cloud demand.",
    "To restart the service, run the deploy script again and wait for the health check.",
    "Bread needs flour, water, salt, yeast and time.",
    "Paris is the capital of France.",
)


def _load(name: str) -> OnnxModel:
    return OnnxModel(find_model(name, REGISTRY), SETTINGS, "cpu")


@pytest.fixture(scope="module")
def bge() -> OnnxModel:
    return _load("bge-small-en-v1.5")


@pytest.fixture(scope="module")
def reranker() -> OnnxModel:
    return _load("ms-marco-MiniLM-L-12-v2")


def embed(
    model: OnnxModel, texts: Sequence[str], request_class: RequestClass = "document"
) -> NDArray[np.float32]:
    """Vectors one by one, `(n, dimensions)`."""
    prepared = [model.prepare([Text(text, request_class)], truncate=False)[0] for text in texts]
    return np.stack([model.finish(model.forward([item])[0]) for item in prepared])


@pytest.mark.parametrize("name", ["bge-small-en-v1.5", "all-MiniLM-L6-v2"])
def test_vectors_have_unit_length_and_similar_sentences_are_closer(name: str) -> None:
    vectors = embed(_load(name), SENTENCES)

    assert vectors.dtype == np.float32
    assert vectors.shape == (len(SENTENCES), 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    to_cat = vectors @ vectors[0]
    assert int(np.argsort(-to_cat)[1]) == 1, "the kitten is nearest to the cat"


def test_queries_get_the_models_prefix_and_documents_do_not(bge: OnnxModel) -> None:
    text = "what is the capital of France"
    prefixed = "Represent this sentence for searching relevant passages: " + text

    as_query = bge.prepare([Text(text, "query")], truncate=False)[0]

    assert as_query == bge.prepare([Text(prefixed, "document")], truncate=False)[0]
    assert as_query != bge.prepare([Text(text, "document")], truncate=False)[0]


def test_tokens_are_those_of_the_tokenizer_itself(bge: OnnxModel, reranker: OnnxModel) -> None:
    tokenizer = Tokenizer.from_file(str(find_model("bge-small-en-v1.5", REGISTRY).tokenizer))
    single, pair = tokenizer.encode(SENTENCES[0]), tokenizer.encode(SENTENCES[0], SENTENCES[1])

    assert list(bge.prepare([Text(SENTENCES[0], "document")], truncate=False)[0].token_ids) == single.ids
    prepared = reranker.prepare([Pair(SENTENCES[0], SENTENCES[1])], truncate=False)[0]
    assert list(prepared.token_ids) == pair.ids
    assert prepared.second_start == pair.type_ids.index(1)


def test_a_question_finds_its_passage(bge: OnnxModel) -> None:
    question = embed(bge, ["how do I restart the service?"], "query")[0]

    assert int(np.argmax(embed(bge, SENTENCES) @ question)) == 3


def test_a_long_text_is_an_error_or_cut_as_asked(bge: OnnxModel, reranker: OnnxModel) -> None:
    long = "word " * 600

    with pytest.raises(InputTooLong, match="602 tokens") as told:
        bge.prepare([Text("short", "document"), Text(long, "document")], truncate=False)
    assert told.value.param == "input[1]"
    cut = bge.prepare([Text("short", "document"), Text(long, "document")], truncate=True)
    assert [(item.is_truncated, item.tokens) for item in cut] == [(False, 3), (True, 512)]

    pair = reranker.prepare([Pair("short", long)], truncate=True)[0]
    assert (pair.is_truncated, pair.tokens, pair.token_ids[-1]) == (True, 512, cut[1].token_ids[-1])
    with pytest.raises(InputTooLong) as told:
        reranker.prepare([Pair(long, "short")], truncate=False)
    assert told.value.param == "query"


def check_leaves_room_for_the_document(prepared: Prepared, document_ids: Sequence[int]) -> None:
    """The pair fits the model, has the document whole, and says that something was cut."""
    assert prepared.is_truncated
    assert prepared.tokens <= 512
    assert prepared.token_ids[prepared.second_start : -1] == tuple(document_ids)


def test_a_long_question_is_cut_so_that_passages_keep_their_room(reranker: OnnxModel, bge: OnnxModel) -> None:
    question = "how do I upload a document to the bucket " * 60
    document = bge.prepare([Text("word " * 250, "document")], truncate=False)[0].token_ids[1:-1]

    short, fitting, long = reranker.prepare(
        [Pair(question, "short"), Pair(question, "word " * 250), Pair(question, "word " * 600)], truncate=True
    )

    check_leaves_room_for_the_document(fitting, document)
    assert [item.second_start for item in (short, fitting, long)] == [50, 50, 50], "the same for all"
    assert [item.tokens for item in (short, fitting, long)] == [52, 301, 512]
    cut_document = replace(fitting, token_ids=(*fitting.token_ids[:200], fitting.token_ids[-1]))
    for broken in (replace(fitting, is_truncated=False), cut_document):
        with pytest.raises(AssertionError):
            check_leaves_room_for_the_document(broken, document)


STORY = (
    "How do I upload a document? I am asking since our team has moved last week to the new system and most "
    "of our files still lie on an old share in the cellar. We have tried to copy them by hand but it took "
    "very long and two colleagues gave up. We also have pictures and spreadsheets of many years, which "
    "somebody scanned and named after the person who brought them. My manager would like to see the "
    "whole archive in one place before the end of the month, so any hint is welcome, and also what it costs. "
) * 3


def check_a_long_question_fits_no_foreign_passage(model: OnnxModel) -> None:
    pair = model.prepare([Pair(STORY, "An enzyme phosphorylates glycogen.")], truncate=True)[0]
    assert sigmoid(float(model.finish(model.forward([pair])[0])[0])) < 0.5


def test_a_long_question_does_not_make_every_passage_relevant(reranker: OnnxModel) -> None:
    files = find_model("ms-marco-MiniLM-L-12-v2", REGISTRY)
    half = replace(files, spec=files.spec.model_copy(update={"max_query_tokens": 256}))

    check_a_long_question_fits_no_foreign_passage(reranker)
    with pytest.raises(AssertionError):
        check_a_long_question_fits_no_foreign_passage(OnnxModel(half, SETTINGS, "cpu"))


def test_a_long_question_is_embedded_by_its_first_tokens(bge: OnnxModel) -> None:
    question = "how do I upload a document to the bucket " * 60

    cut = bge.prepare([Text(question, "query")], truncate=True)[0]

    whole = bge.prepare([Text(question[:400], "query")], truncate=False)[0]
    assert (cut.is_truncated, cut.tokens) == (True, 512)
    assert cut.token_ids[:50] == whole.token_ids[:50]


def _engine(model: OnnxModel, limits: Limits, lane: ThreadLane, observer: CountingObserver) -> Engine:
    pool = TokenizerPool(threads=1, max_inside=100)
    return build_engine(model, SETTINGS, limits, lane=lane, tokenizers=pool, observer=observer)


@pytest.fixture
async def lane() -> AsyncIterator[ThreadLane]:
    lane = ThreadLane()
    yield lane
    lane.close()


async def vectors_from(engine: Engine, texts: Sequence[str]) -> NDArray[np.float32]:
    """All texts as requests of their own, asked at once."""
    engine.start()
    try:
        answers = await asyncio.gather(
            *(engine.answer([Text(text, "document")], call(within_s=30)) for text in texts)
        )
        return np.stack([answer.rows[0] for answer in answers])
    finally:
        await engine.stop()


def check_like_one_by_one(
    vectors: NDArray[np.float32], expected: NDArray[np.float32], tolerance: float
) -> None:
    """Each vector is within `tolerance` (cosine distance) of the one made alone."""
    distance = 1 - np.einsum("ij,ij->i", vectors, expected)
    assert float(distance.max()) <= tolerance, f"cosine distance {distance.max():.4f}"


async def test_concurrent_vectors_are_those_made_one_by_one(bge: OnnxModel, lane: ThreadLane) -> None:
    observer = CountingObserver()
    expected = embed(bge, SENTENCES)

    vectors = await vectors_from(_engine(bge, BATCHED, lane, observer), SENTENCES)

    assert max(observer.batch_sizes) > 1, "nothing ran together, so nothing was shown"
    check_like_one_by_one(vectors, expected, BATCH_TOLERANCE)
    with pytest.raises(AssertionError, match="cosine distance"):
        check_like_one_by_one(np.roll(vectors, 1, axis=0), expected, BATCH_TOLERANCE)


async def test_exact_mode_gives_equal_bytes(bge: OnnxModel, lane: ThreadLane) -> None:
    vectors = await vectors_from(_engine(bge, ALONE, lane, CountingObserver()), SENTENCES)

    assert np.array_equal(vectors, embed(bge, SENTENCES))


async def test_the_reranker_puts_the_answer_first(reranker: OnnxModel, lane: ThreadLane) -> None:
    engine = _engine(reranker, BATCHED, lane, CountingObserver())
    service = EmbeddingService([ServedModel("reranker", reranker.spec, engine)], max_inputs=16)
    service.start()
    deadline = Call("query", asyncio.get_running_loop().time() + 30)

    scores, results = await service.rerank(
        service.models[0], "what is the capital of France?", SENTENCES, deadline
    )
    await service.stop()

    assert scores[0].index == 5
    assert scores[0].relevance > 0.9 > 0.1 > scores[1].relevance
    assert [score.logit for score in scores] == sorted((score.logit for score in scores), reverse=True)
    assert results.truncated == []


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    name = "bge-small-en-v1.5"
    for file in REGISTRY[name].files:
        (tmp_path / Path(file.path).name).write_bytes(b"something else")

    with pytest.raises(
        StartupError, match=r"sha256 of .*model\.onnx is [0-9a-f]{64}, the registry says 68807e3f"
    ):
        find_model(name, REGISTRY, tmp_path)


def test_missing_things_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="does not exist"):
        find_model("bge-small-en-v1.5", REGISTRY, tmp_path)
    with pytest.raises(StartupError, match="known: all-MiniLM-L6-v2"):
        find_model("gpt", REGISTRY)
    with pytest.raises(StartupError, match="cannot be read"):
        read_registry(tmp_path / "models.toml")
    absent = REGISTRY["bge-small-en-v1.5"].model_dump()
    absent["files"][0]["package"] = "no-such-package"
    with pytest.raises(StartupError, match="no-such-package is not installed"):
        find_model("x", {"x": ModelSpec.model_validate(absent)})
