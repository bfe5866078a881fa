"""The analyser gives Lucene's terms; the expected ones were made by Lucene itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import Stemmer
from haylift.adapters.sqlite_analysis import stem, terms
from haylift.domain.english import STOP_WORDS, words

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
