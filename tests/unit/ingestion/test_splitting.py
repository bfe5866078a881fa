"""Pieces fit the model and lose nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from haylift.domain.chunks import Block
from haylift.services.splitting import Piece, SplitLimits, estimated_tokens, halved, split_blocks
from hypothesis import given, settings
from hypothesis import strategies as st

LIMITS = SplitLimits(max_tokens=12, overlap_tokens=4)

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
texts = st.lists(
    st.one_of(
        words, st.sampled_from(["The cat sat.", "Wirklich?", "2.5 kg", "終わり。", "a\nb", "| c | d", "\n\n"])
    ),
    min_size=1,
    max_size=30,
).map(" ".join)
blocks_of_text = st.lists(
    st.builds(
        Block,
        text=texts,
        page=st.one_of(st.none(), st.integers(1, 3)),
        headings=st.sampled_from([(), ("One",), ("One", "Two")]),
        is_table=st.booleans(),
    ),
    max_size=6,
)
limits_of_pieces = st.builds(SplitLimits, max_tokens=st.integers(1, 40), overlap_tokens=st.integers(0, 40))

type Splitter = Callable[[Iterable[Block], SplitLimits], Iterator[Piece]]


def nothing_is_lost(blocks: Sequence[Block], limits: SplitLimits, splitter: Splitter) -> None:
    """Every character but white space comes out again, in order; beside it only what is repeated."""
    wanted = iter("".join("".join(block.text.split()) for block in blocks))
    expected = next(wanted, None)
    for piece in splitter(blocks, limits):
        for character in piece.text:
            if character == expected:
                expected = next(wanted, None)
    assert expected is None


@settings(max_examples=300, deadline=None)
@given(blocks_of_text, limits_of_pieces)
def test_nothing_is_lost(blocks: list[Block], limits: SplitLimits) -> None:
    nothing_is_lost(blocks, limits, split_blocks)


def test_a_splitter_that_drops_a_tail_fails_the_same_check() -> None:
    def dropping(blocks: Iterable[Block], limits: SplitLimits) -> Iterator[Piece]:
        yield from list(split_blocks(blocks, limits))[:-1]

    with pytest.raises(AssertionError):
        nothing_is_lost([Block(text="One two three. " * 20 + "The end.")], LIMITS, dropping)


@settings(max_examples=300, deadline=None)
@given(blocks_of_text, limits_of_pieces)
def test_pieces_fit_and_keep_their_place(blocks: list[Block], limits: SplitLimits) -> None:
    pieces = list(split_blocks(blocks, limits))

    assert all(estimated_tokens(piece.text) <= limits.max_tokens for piece in pieces)
    assert all(piece.text.strip() for piece in pieces)
    places = {(block.page, block.headings) for block in blocks}
    assert {(piece.page, piece.headings) for piece in pieces} <= places


@settings(max_examples=300, deadline=None)
@given(texts.filter(lambda text: len("".join(text.split())) > 1))
def test_halves_are_smaller_and_lose_nothing(text: str) -> None:
    text = text.strip()

    first, second = halved(text)

    assert "".join(first.split()) + "".join(second.split()) == "".join(text.split())
    assert len(first) < len(text)
    assert len(second) < len(text)


def test_neighbouring_paragraphs_share_a_piece_and_headings_part_them() -> None:
    blocks = [
        Block(text="One cat.", headings=("A",)),
        Block(text="Two dogs.", headings=("A",)),
        Block(text="Three.", headings=("B",)),
    ]

    pieces = list(split_blocks(blocks, LIMITS))

    assert [(piece.text, piece.headings) for piece in pieces] == [
        ("One cat.\n\nTwo dogs.", ("A",)),
        ("Three.", ("B",)),
    ]


def test_long_text_is_torn_between_sentences_and_overlaps_by_whole_ones() -> None:
    text = "The cat sat down. It weighs 2.5 kg. Good cat. The dog came in. It sat too."

    pieces = [piece.text for piece in split_blocks([Block(text=text)], LIMITS)]

    assert pieces == [
        "The cat sat down. It weighs 2.5 kg.",
        "Good cat. The dog came in. It sat too.",
    ]
    overlapped = split_blocks([Block(text=text)], SplitLimits(max_tokens=12, overlap_tokens=7))
    assert [piece.text for piece in overlapped][1:] == [
        "It weighs 2.5 kg. Good cat.",
        "Good cat. The dog came in. It sat too.",
    ]


def test_a_long_table_is_torn_between_rows_under_its_first_line() -> None:
    table = "a | b\n" + "\n".join(f"{number} | x" for number in range(6))

    pieces = [
        piece.text
        for piece in split_blocks(
            [Block(text=table, is_table=True)], SplitLimits(max_tokens=15, overlap_tokens=8)
        )
    ]

    assert pieces == ["a | b\n0 | x\n1 | x\n2 | x\n3 | x", "a | b\n4 | x\n5 | x"]


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("cat", 1), ("documentation", 3), ("2026", 2), ("a_b!", 4), ("日本", 2)]
)
def test_tokens_are_estimated_with_care(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens
