"""A new revision embeds only what its live revision does not have."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from haylift.domain.chunks import Block, EmbeddedChunk, ParsedDocument, Vector
from haylift.domain.documents import DocumentKey
from haylift.domain.metadata import DocumentMetadata
from haylift.pipelines.components import chunk_writer
from haylift.pipelines.indexing import HaystackIndexingPipeline, indexing_pipeline
from haylift.ports import IndexingTask
from haylift.resilience import Deadline
from haylift.services.splitting import SplitLimits
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.index import InMemoryIndex
from tests.fakes.search import FakeModels
from tests.fakes.texts import FixedParser, MemoryTexts

LIMITS = SplitLimits(max_tokens=12, overlap_tokens=0)
KEY = DocumentKey("acme", "animals.md")


@dataclass
class Recording(FakeModels):
    """Keeps every text that it is given; another name makes other vectors."""

    embedded: list[str] = field(default_factory=list)

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        self.embedded += texts
        return super().embed_documents([f"{self.model} {text}" for text in texts], deadline)


def index_text(
    index: InMemoryIndex,
    paragraphs: Sequence[str],
    models: Recording,
    *,
    live: int = 0,
    live_model: str = "",
    metadata: DocumentMetadata | None = None,
) -> Recording:
    """Writes the revision after `live`; gives the models."""
    blocks = tuple(Block(text=text, headings=(str(text),)) for text in paragraphs)
    parser = FixedParser(ParsedDocument(title="Animals", media_type="text/plain", blocks=blocks))
    pipeline = indexing_pipeline(parser, MemoryTexts(), models, index, LIMITS)
    HaystackIndexingPipeline(pipeline, "1").run(
        IndexingTask(
            file=Path(__file__),
            key=KEY,
            revision=live + 1,
            generation="g1",
            content_type="",
            metadata=metadata or DocumentMetadata(),
            progress=lambda _stage, _percent: None,
            deadline=Deadline.after(60),
            live_revision=live,
            live_model=live_model,
        )
    )
    return models


def stored(index: InMemoryIndex, revision: int) -> list[EmbeddedChunk]:
    chunks = [each for each in index.stored["acme", "g1"].values() if each.chunk.revision == revision]
    return sorted(chunks, key=lambda each: each.chunk.ordinal)


def test_one_changed_paragraph_of_fifty_costs_one_embedding() -> None:
    index = InMemoryIndex()
    before = [f"Animal {number} lives here." for number in range(50)]
    index_text(index, before, Recording())
    after = [*before[:20], "A new one came.", *before[21:]]

    models = index_text(index, after, Recording(), live=1, live_model="hashed-words")

    assert models.embedded == ["Animals > A new one came.\nA new one came."]
    assert [each.chunk.ordinal for each in stored(index, 2)] == list(range(50))
    assert [each.chunk.text for each in stored(index, 2)] == after


def test_other_readers_of_the_same_text_cost_no_embedding() -> None:
    index = InMemoryIndex()
    text = [f"Animal {number} lives here." for number in range(40)]
    index_text(index, text, Recording())
    said = DocumentMetadata(access_groups=frozenset({"hr"}), language="en")

    models = index_text(index, text, Recording(), live=1, live_model="hashed-words", metadata=said)

    assert models.embedded == []
    assert {each.chunk.access_groups for each in stored(index, 2)} == {frozenset({"hr"})}


def vectors_are_of_their_model(live_model: str) -> None:
    """The check: after a revision of another model every vector is that model's."""
    index, alone = InMemoryIndex(), InMemoryIndex()
    text = ["Cats sleep.", "Dogs bark."]
    index_text(index, text, Recording(model="small"))

    index_text(index, text, Recording(model="large"), live=1, live_model=live_model)

    index_text(alone, text, Recording(model="large"), live=1)
    assert [each.vector for each in stored(index, 2)] == [each.vector for each in stored(alone, 2)]


@pytest.mark.parametrize("live_model", ["small", ""])
def test_vectors_of_another_or_an_unknown_model_are_not_used(live_model: str) -> None:
    vectors_are_of_their_model(live_model)


def test_a_row_that_names_the_wrong_model_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        vectors_are_of_their_model("large")


PARAGRAPHS = st.lists(
    st.sampled_from([f"Animal {n} lives here." for n in range(12)]), min_size=1, max_size=40
)


def same_as_without_a_past(before: Sequence[str], after: Sequence[str]) -> None:
    """The check: what was there before decides the cost and nothing else."""
    index, alone = InMemoryIndex(), InMemoryIndex()
    index_text(index, before, Recording())

    models = index_text(index, after, Recording(), live=1, live_model="hashed-words")

    index_text(alone, after, Recording(), live=1)
    assert stored(index, 2) == stored(alone, 2)
    known = {each.chunk.embedded_digest for each in stored(index, 1)}
    fresh = [each.chunk for each in stored(index, 2) if each.chunk.embedded_digest not in known]
    assert models.embedded == [chunk.embedded_text for chunk in fresh]


@settings(max_examples=100, deadline=None)
@given(before=PARAGRAPHS, after=PARAGRAPHS)
def test_any_edit_ends_as_if_the_file_were_new(before: list[str], after: list[str]) -> None:
    same_as_without_a_past(before, after)


def test_a_vector_in_the_wrong_place_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = chunk_writer._alike

    def shifted(chunks, known):  # type: ignore[no-untyped-def]
        fresh, found = right(chunks, known)
        vectors = [each.vector for each in found]
        moved = [replace(each, vector=v) for each, v in zip(found, vectors[1:] + vectors[:1], strict=True)]
        return fresh, moved

    monkeypatch.setattr(chunk_writer, "_alike", shifted)
    with pytest.raises(AssertionError):
        same_as_without_a_past(["Cats sleep.", "Dogs bark."], ["Cats sleep.", "Dogs bark."])
