"""Text is cleaned without losing any of it."""

import pytest
from haylift.domain.chunks import Block, ParsedDocument
from haylift.services.cleaning import clean_document, clean_text
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        ("\ufeffnull\x00 \x1b[31mred\ud800", "null [31mred"),
        ("u\u0308ber  \nx", "über\nx"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("  日本語 عربى  ", "日本語 عربى"),
        ("Auﬂage, oﬃce", "Auflage, office"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("Donau\u00addampf", "Donaudampf"),
    ],
)
def test_text_is_cleaned(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_text(text)

    assert clean_text(once) == once
    once.encode()


def test_blocks_without_text_are_left_out() -> None:
    document = ParsedDocument(
        title=" A\n title\x00 " + "x" * 400,
        media_type="text/plain",
        blocks=(Block(text="\x00 \n"), Block(text=" kept ", headings=(" a  b ", "\x00"))),
    )

    cleaned = clean_document(document)

    assert cleaned.blocks == (Block(text="kept", headings=("a b",)),)
    assert cleaned.title.startswith("A title xxx")
    assert len(cleaned.title) == 300
