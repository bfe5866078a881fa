"""The analyser gives Lucene's terms; the expected ones were made by Lucene itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import Stemmer
from haylift.adapters.sqlite_analysis import stem, terms
from haylift.domain.english import STOP_WORDS, pieces, words
from hypothesis import example, given
from hypothesis import strategies as st

GOLDEN = json.loads((Path(__file__).parent / "lucene_english.json").read_text("utf-8"))


@pytest.mark.parametrize("line", GOLDEN["lines"], ids=range(len(GOLDEN["lines"])))
def test_terms_are_those_of_lucene(line: dict[str, object]) -> None:
    assert terms(str(line["text"])) == line["terms"]


def check_stems(stemmed: Callable[[str], str]) -> None:
    assert {word: stemmed(word) for word in GOLDEN["stems"]} == GOLDEN["stems"]


def test_stems_are_those_of_lucene() -> None:
    check_stems(lambda word: word if word in STOP_WORDS else stem(word))


def test_plain_snowball_porter_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_stems(Stemmer.Stemmer("porter").stemWord)


def test_there_are_33_stop_words() -> None:
    assert len(STOP_WORDS) == 33
    assert words("Not THE word") == ["word"]


def test_lone_surrogates_and_control_characters_are_no_words() -> None:
    assert words("\ud800 \x00 \x01 end") == ["end"]


def check_ascii(stretches: Callable[[str], list[str]], text: str) -> None:
    """A character that is no word sends the same text down the way of all characters."""
    assert stretches(text) == pieces(f"{text}\n\u2026")


@given(st.text(alphabet="aB3_:.',;\" -\n\x00\x7f's", max_size=40))
@example("foo_bar's 3.14,5; a:b 1'2 a.b.c _x_ __ 3a.4")
@example("x" * 300 + " y")
def test_plain_characters_take_a_short_way_to_the_same_words(text: str) -> None:
    check_ascii(pieces, text)


def test_a_short_way_that_tears_words_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        check_ascii(str.split, "a:b, 3.14")
