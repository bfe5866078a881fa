"""Passages are cut into sentences word for word, and the promising ones are read first."""

import pytest
from haylift.domain.chunks import Hit
from haylift.services.sentence_choice import chosen, overlap_ratio
from haylift.services.sentences import Sentence, sentences, terms
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.search import chunk


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opens at 7.30 daily. Ask Dr. Key.", ["It opens at 7.30 daily.", "Ask Dr. Key."]),
        ("Is it open now? Yes it is!", ["Is it open now?", "Yes it is!"]),
        ("Use e.g. The Harbour app. Then sail away.", ["Use e.g. The Harbour app.", "Then sail away."]),
        ('She said "come in now." He came in.', ['She said "come in now."', "He came in."]),
        ("A first paragraph here\n\nAnd a second one", ["A first paragraph here", "And a second one"]),
        ("Rules:\n- Never run here.\n- Wear a vest.", ["Never run here.", "Wear a vest."]),
        ("A sentence that\nwraps over lines.", ["A sentence that\nwraps over lines."]),
        (
            "Call pipeline.run() with data. It returns outputs.",
            ["Call pipeline.run() with data.", "It returns outputs."],
        ),
        ("港口七点开门。钥匙十二欧元。", ["港口七点开门。", "钥匙十二欧元。"]),
        ("Yes. No.", []),
        ("# Lost keys\nA key costs twelve euros.", ["Lost keys\nA key costs twelve euros."]),
        ("---\nsome title here\n---", ["some title here\n---"]),
        ("", []),
        ("word " * 200, []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet=st.sampled_from("aB .!?\n-é。\"')1"), max_size=200))
def test_every_sentence_stands_in_the_text_in_order(text: str) -> None:
    position = 0
    for sentence in sentences(text):
        position = text.index(sentence, position) + len(sentence)


def sentence(text: str, *, score: float = 0.5, headings: tuple[str, ...] = ()) -> Sentence:
    return Sentence(text, Hit(chunk=chunk(text, headings=headings), score=score))


def test_the_sentence_with_the_rare_word_is_read_first() -> None:
    candidates = [
        sentence("The harbour has a harbour office."),
        sentence("The harbour has rules."),
        sentence("The boathouse stands there."),
    ]

    best = chosen("harbour boathouse", candidates, 2)

    assert best[0].text == "The boathouse stands there."
    assert len(best) == 2


def test_a_heading_speaks_for_its_sentences() -> None:
    plain = sentence("It costs twelve euros.")
    headed = sentence("It costs twelve euros here.", headings=("Lost keys",))

    assert chosen("lost keys", [plain, headed], 1) == [headed]


def test_endings_and_case_do_not_matter() -> None:
    one = sentence("Documents are replaced atomically.")

    assert overlap_ratio("Replacing a document", one, [one]) == pytest.approx(1.0)


def test_a_question_of_stop_words_alone_fits_nothing() -> None:
    one = sentence("What is it that you do?")

    assert overlap_ratio("what is it", one, [one]) == 0.0
    assert terms("What is it?") == frozenset()
