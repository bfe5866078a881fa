"""The real Haystack pipeline over a fixed parser, an index in memory and a model with a limit."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.adapters.lambda_telemetry import SNAPSHOT_LOGGER, configure_logging
from haylift.domain.chunks import Block, ParsedDocument, Vector
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import (
    DeadlineExceeded,
    DocumentRejected,
    InvalidInput,
    ModelUnavailable,
    OutOfTurn,
)
from haylift.domain.metadata import DocumentMetadata
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline, recipe
from haylift.ports import IndexingTask
from haylift.resilience import Deadline
from haylift.services.splitting import SplitLimits

from tests.fakes.index import InMemoryIndex
from tests.fakes.search import FakeModels
from tests.fakes.texts import FixedParser, MemoryTexts

LIMITS = SplitLimits(max_tokens=20, overlap_tokens=0)
DOCUMENT = ParsedDocument(
    title="Animals",
    media_type="text/markdown",
    blocks=tuple(
        Block(text=f"Animal number {number} is here.\x00", headings=("All", str(number)), page=number)
        for number in range(1, 71)
    ),
)


class Strict(FakeModels):
    """Refuses texts over 40 characters, as the endpoint does by tokens."""

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        for position, text in enumerate(texts):
            if len(text) > 40:
                raise InvalidInput("too long", code="text_too_long", where=str(position))
        return super().embed_documents(texts, deadline)


class Refusing(FakeModels):
    """Refuses everything."""

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        raise InvalidInput("no", code="model_refused_input", where="0")


class Run:
    """One run and what it left."""

    def __init__(self, document: ParsedDocument = DOCUMENT, models: FakeModels | None = None) -> None:
        self.index = InMemoryIndex()
        self.texts = MemoryTexts()
        self.parser = FixedParser(document)
        self.shown: list[tuple[str, int]] = []
        self.pipeline = HaystackIndexingPipeline(
            indexing_pipeline(self.parser, self.texts, models or FakeModels(), self.index, LIMITS),
            recipe("hashed-words", LIMITS, "1"),
        )
        self.task = IndexingTask(
            file=Path(__file__),
            key=DocumentKey("acme", "animals.md"),
            revision=3,
            generation="g1",
            content_type="",
            metadata=DocumentMetadata(),
            progress=lambda stage, percent: self.shown.append((stage, percent)),
            deadline=Deadline.after(60),
        )


def test_a_document_becomes_chunks_of_its_revision() -> None:
    run = Run()

    indexed = run.pipeline.run(run.task)

    assert (indexed.title, indexed.media_type, indexed.chunk_count) == ("Animals", "text/markdown", 70)
    chunks = list(run.index.stored["acme", "g1"].values())
    first = chunks[0].chunk
    assert first.text == "Animal number 1 is here."
    assert (first.headings, first.page, first.revision) == (("All", "1"), 1, 3)
    assert first.chunk_id == run.task.key.chunk_id(3, 0)
    assert [each.chunk.ordinal for each in chunks] == list(range(70))
    assert first.meta == {"media_type": "text/markdown"}


def test_progress_is_shown_before_each_write() -> None:
    run = Run()

    run.pipeline.run(run.task)

    stages = [stage for stage, _ in run.shown]
    percents = [percent for _, percent in run.shown]
    assert stages == ["parse", "embed", *["write"] * 5]
    assert percents == sorted(percents)


def test_metadata_of_the_object_comes_before_the_files_own() -> None:
    run = Run()
    said = DocumentMetadata(title="Beasts", language="de", access_groups=frozenset({"hr"}))

    indexed = run.pipeline.run(replace(run.task, metadata=said))

    chunk = next(iter(run.index.stored["acme", "g1"].values())).chunk
    assert indexed.title == chunk.title == "Beasts"
    assert chunk.access_groups == frozenset({"hr"})
    assert chunk.meta == {"media_type": "text/markdown", "language": "de"}


def test_a_piece_that_the_model_finds_too_long_is_halved_and_nothing_is_lost() -> None:
    text = "One cat sat down there. Two dogs came in. Three birds flew off."
    run = Run(ParsedDocument(title="", media_type="text/plain", blocks=(Block(text=text),)), Strict())

    indexed = run.pipeline.run(run.task)

    chunks = sorted(run.index.stored["acme", "g1"].values(), key=lambda each: each.chunk.ordinal)
    assert [each.chunk.text for each in chunks] == [
        "One cat sat down there.",
        "Two dogs came in. Three birds flew off.",
    ]
    assert indexed.chunk_count == 2


def test_a_title_too_long_for_the_model_ends_in_a_verdict() -> None:
    document = ParsedDocument(title="t" * 50, media_type="text/plain", blocks=(Block(text="a cat"),))
    run = Run(document, Strict())

    with pytest.raises(DocumentRejected) as rejected:
        run.pipeline.run(run.task)

    assert rejected.value.reason == "model_refused"


def test_a_refused_text_ends_in_a_verdict() -> None:
    run = Run(models=Refusing())

    with pytest.raises(DocumentRejected) as rejected:
        run.pipeline.run(run.task)

    assert rejected.value.reason == "model_refused"


def test_a_document_of_control_characters_has_no_text() -> None:
    run = Run(ParsedDocument(title="", media_type="text/plain", blocks=(Block(text="\x00\x01"),)))

    with pytest.raises(DocumentRejected) as rejected:
        run.pipeline.run(run.task)

    assert rejected.value.reason == "no_text"


@pytest.mark.parametrize("fault", [ModelUnavailable("down"), DeadlineExceeded("late")])
def test_faults_come_out_as_they_went_in(fault: ModelUnavailable | DeadlineExceeded) -> None:
    run = Run(models=FakeModels(fault=fault))

    with pytest.raises(type(fault)) as raised:
        run.pipeline.run(run.task)

    assert raised.value is fault


class Heard(logging.Handler):
    """Keeps what a logger lets through, whatever filters others left at the root's handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def warnings_of_a_fault(heard: Heard) -> list[str]:
    heard.messages.clear()
    run = Run(models=FakeModels(fault=ModelUnavailable("down")))
    with pytest.raises(ModelUnavailable):
        run.pipeline.run(run.task)
    return [message for message in heard.messages if "Failed to serialize" in message]


def test_haystacks_snapshot_of_a_fault_is_not_in_the_log() -> None:
    haystack, ours, heard = logging.getLogger(SNAPSHOT_LOGGER), logging.getLogger("haylift"), Heard()
    before = (haystack.level, ours.handlers, ours.level, ours.propagate)
    try:
        # Another test's entry point may have configured the logs of this process before.
        haystack.setLevel(logging.WARNING)
        haystack.addHandler(heard)
        without_us = warnings_of_a_fault(heard)
        configure_logging("ingestion", "INFO")
        with_us = warnings_of_a_fault(heard)
    finally:
        haystack.removeHandler(heard)
        haystack.setLevel(before[0])
        ours.handlers, ours.propagate = before[1], before[3]
        ours.setLevel(before[2])

    assert (without_us != [], with_us) == (True, [])


def test_a_worker_whose_turn_is_over_stops_before_it_writes() -> None:
    run = Run()

    def over(stage: str, _: int) -> None:
        if stage == "write":
            raise OutOfTurn("superseded", superseded=True)

    with pytest.raises(OutOfTurn):
        run.pipeline.run(replace(run.task, progress=over))

    assert run.index.stored == {}


def test_the_recipe_names_the_model_the_limits_and_the_parser() -> None:
    other = SplitLimits(max_tokens=20, overlap_tokens=1)

    recipes = [
        recipe("m", LIMITS, "1"),
        recipe("n", LIMITS, "1"),
        recipe("m", other, "1"),
        recipe("m", LIMITS, "1;ocr"),
    ]

    assert recipes[0] == recipe("m", LIMITS, "1")
    assert len(set(recipes)) == 4
