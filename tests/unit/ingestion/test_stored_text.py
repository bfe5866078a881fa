"""Text is kept part by part before anything is embedded, and never parsed twice."""

from dataclasses import replace

import pytest
from haylift.domain.chunks import Block, Chunk, ParsedDocument
from haylift.domain.errors import DocumentRejected
from haylift.domain.texts import TextPart, text_of
from haylift.services.splitting import SplitLimits, split_blocks
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingestion.test_indexing_pipeline import DOCUMENT, Run

PARTS = 10


def long_run() -> Run:
    """Seventy pages of a block each, ten to a part."""
    run = Run(DOCUMENT)
    run.parser.blocks_per_part = PARTS
    return run


def kept_text(run: Run) -> str:
    ((_, parts),) = run.texts.stored.items()
    return text_of(block for number in sorted(parts) for block in parts[number].document.blocks)


def chunks(run: Run) -> list[Chunk]:
    stored = run.index.stored["acme", "g1"].values()
    return sorted((each.chunk for each in stored), key=lambda chunk: chunk.ordinal)


def test_parts_make_the_chunks_that_the_whole_would_make() -> None:
    whole, torn = Run(DOCUMENT), long_run()

    indexed = torn.pipeline.run(torn.task)

    assert indexed == whole.pipeline.run(whole.task)
    assert chunks(torn) == chunks(whole)
    assert kept_text(torn) == kept_text(whole)
    assert [torn.texts.size("acme", torn.task.key.document_id, 3)] == [7]


def places_lead_to_the_text(found: list[Chunk], text: str) -> None:
    assert [text[each.start_char : each.end_char] for each in found] == [each.text for each in found]


def test_the_places_of_all_chunks_lead_to_their_text() -> None:
    run = long_run()
    run.pipeline.run(run.task)

    places_lead_to_the_text(chunks(run), kept_text(run))
    shifted = [replace(each, start_char=each.start_char + 2) for each in chunks(run)]
    with pytest.raises(AssertionError):
        places_lead_to_the_text(shifted, kept_text(run))


def test_an_attempt_goes_on_behind_the_last_part_and_parses_nothing_twice() -> None:
    run = long_run()
    run.pipeline.run(run.task)
    ((place, parts),) = run.texts.stored.items()
    run.texts.stored[place] = {number: part for number, part in parts.items() if number < 4}

    run.pipeline.run(replace(run.task, has_leftovers=True))
    run.pipeline.run(replace(run.task, has_leftovers=True))

    assert run.parser.begun == [1, 41]
    assert run.texts.stored[place] == parts


def test_the_text_of_the_live_revision_is_taken_for_a_new_one() -> None:
    run = long_run()
    run.pipeline.run(run.task)

    run.pipeline.run(replace(run.task, revision=4, live_revision=3))

    assert run.parser.begun == [1]
    assert run.texts.size("acme", run.task.key.document_id, 4) == 7


def test_a_verdict_on_the_last_page_costs_no_embedding() -> None:
    empty = ParsedDocument(title="", media_type="", blocks=(Block(text="\x00", page=1),) * 20)
    run = Run(replace(empty, omissions={"pages": 1}))
    run.parser.blocks_per_part = 5

    with pytest.raises(DocumentRejected) as rejected:
        run.pipeline.run(run.task)

    assert rejected.value.reason == "damaged"
    assert run.index.stored == {}


def test_a_part_knows_where_the_next_one_begins() -> None:
    blocks = (Block(text="One."), Block(text="Two."))
    part = TextPart(document=replace(DOCUMENT, blocks=blocks), start_char=100)

    assert (part.end_char, part.next_start_char) == (110, 112)
    assert replace(part, document=replace(DOCUMENT, blocks=())).next_start_char == 100


LINES = st.lists(
    st.sampled_from(
        ["Cats purr. ", "2.5 ", "猫。", "a\n", "  row | cell\n", "x" * 40, "Wie? ", "مرحبا ", " "]
    ),
    min_size=1,
    max_size=40,
).map(lambda words: "".join(words).strip())
BLOCKS = st.lists(
    st.builds(Block, text=LINES.filter(bool), page=st.sampled_from([None, 1, 2]), is_table=st.booleans()),
    max_size=6,
)


@given(BLOCKS, st.sampled_from([4, 20, 60]), st.sampled_from([0, 5, 15]), st.integers(0, 1_000))
def test_every_piece_ends_with_the_text_of_its_place(
    blocks: list[Block], max_tokens: int, overlap_tokens: int, start_char: int
) -> None:
    text = " " * start_char + text_of(blocks)
    limits = SplitLimits(max_tokens=max_tokens, overlap_tokens=overlap_tokens)

    pieces = list(split_blocks(blocks, limits, start_char=start_char))

    reached = start_char
    for piece in pieces:
        assert piece.text.endswith(text[piece.start_char : piece.end_char])
        assert not text[reached : piece.start_char].strip()
        reached = piece.end_char
        first, second = piece.halves()
        assert (first.start_char, first.end_char) <= (second.start_char, second.end_char)
        assert first.text.endswith(text[first.start_char : first.end_char])
        assert second.text.endswith(text[second.start_char : second.end_char])
    assert not text[reached:].strip()
