"""Separated values, JSON, mail, books and rich text keep what a citation needs."""

import json

import pytest
from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected

from tests.unit.ingestion.files import PNG, pdf
from tests.unit.parsing.conftest import Reader
from tests.unit.parsing.made_files import book, mail


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separated_values_are_read_by_their_own_delimiter(read: Reader, delimiter: str) -> None:
    lines = [["name", "note"], ["Zoë", '"one, two; three"'], ["Tom", '"two\nlines"']]
    text = "\r\n".join(delimiter.join(line) for line in lines)

    found = read("a.csv", text.encode())

    assert found.blocks == [Block(text="name | note\nZoë | one, two; three\nTom | two lines", is_table=True)]


def test_the_note_about_the_delimiter_is_no_row(read: Reader) -> None:
    assert read("a.csv", b"sep=;\na;b\n1;2,5\n").texts == ["a | b\n1 | 2,5"]


def test_a_long_table_comes_in_groups_of_rows_that_begin_with_the_header(read: Reader) -> None:
    rows = "".join(f"{number},x\n" for number in range(450))

    found = read("a.csv", b"id,name\n" + rows.encode())

    assert [block.text.splitlines()[0] for block in found.blocks] == ["id | name"] * 3
    assert [line for text in found.texts for line in text.splitlines()[1:]] == [
        f"{number} | x" for number in range(450)
    ]


def test_json_keeps_paths_as_headings_and_numbers_as_written(read: Reader) -> None:
    long = "A long text. " * 40
    value = {
        "title": "Catalogue",
        "limits": {"size": 1.50, "days": [1, 2], "open": True, "none": None},
        "items": [{"id": 1, "text": long}, {"id": 2, "text": "short"}],
    }
    data = json.dumps(value).replace("1.5", "1.50").encode()

    found = read("a.json", data)

    assert found.title == "Catalogue"
    assert found.blocks == [
        Block(
            text="title: Catalogue\nlimits.size: 1.50\nlimits.days: 1, 2\n"
            "limits.open: true\nlimits.none: null"
        ),
        Block(text=f"id: 1\ntext: {long}", headings=("items[0]",)),
        Block(text="id: 2\ntext: short", headings=("items",)),
    ]


def test_a_name_that_stands_twice_is_kept_twice(read: Reader) -> None:
    assert read("a.json", b'{"a": 1, "a": 2}').texts == ["a: 1\na: 2"]


def test_json_deeper_than_a_path_may_be_is_named_before_its_text(read: Reader) -> None:
    text = "word " * 100
    value: object = text
    for name in "hgfedcba":
        value = {name: value}

    found = read("a.json", json.dumps(value).encode())

    assert found.blocks == [Block(text=f"g\nh: {text}", headings=tuple("abcdef"))]


def test_json_beyond_every_depth_is_refused(read: Reader) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        read("a.json", b"[" * 100_000 + b"]" * 100_000)

    assert rejected.value.reason == "parser_limit"


def test_what_is_no_json_is_text(read: Reader) -> None:
    assert read("a.json", b"// notes\n{'a': 1}").texts == ["// notes\n{'a': 1}"]


def test_json_lines_keep_what_is_no_json(read: Reader) -> None:
    found = read("a.log", b'{"level": "info", "text": "up"}\n{"level": "warn"}\nTraceback\n{"level": "x"}\n')

    assert found.module == "jsonl"
    assert found.texts == ["level: info\ntext: up", "level: warn", "Traceback", "level: x"]


HEADERS = (
    "From: Jörg <joerg@example.com>\nTo: office@example.com\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n"
    "Subject: Schlüssel verloren"
)


def test_mail_keeps_headers_text_and_what_can_be_read_of_attachments(read: Reader) -> None:
    inner = mail(attachments={"deep.txt": b"Deep inside."})

    found = read("a.eml", mail(attachments={"a.pdf": pdf("Cats purr."), "photo.png": PNG, "b.eml": inner}))

    assert found.title == "Schlüssel verloren"
    assert found.texts[:3] == [HEADERS, "The key of berth A1 is lost.", "Please send another one."]
    assert Block(text="Cats purr.", page=1, headings=("Attachment: a.pdf",)) in found.blocks
    assert Block(text="Attachment: photo.png") in found.blocks
    assert Block(text="Deep inside.", headings=("Attachment: b.eml", "Attachment: deep.txt")) in found.blocks
    assert found.omissions == {"attachments": 1}


def test_a_page_in_a_mail_is_read_when_the_plain_text_says_too_little(read: Reader) -> None:
    page = "<h1>Offer</h1><p>" + "Everything about the offer stands here. " * 10 + "</p>"

    assert read("a.eml", mail(html="<p>short</p>")).texts[1] == "The key of berth A1 is lost."
    assert read("a.eml", mail(html=page)).blocks[1].headings == ("Offer",)


def test_a_book_is_read_in_its_own_order(read: Reader) -> None:
    found = read("a.epub", book())

    assert found.title == "Das Buch"
    assert found.blocks == [
        Block(text="Es war einmal.", headings=("First",)),
        Block(text="日本語の本文。", headings=("Second",)),
    ]


def test_a_book_tells_of_missing_chapters_and_of_locks(read: Reader) -> None:
    assert read("a.epub", book(is_torn=True)).omissions == {"chapters": 1}
    with pytest.raises(DocumentRejected) as rejected:
        read("a.epub", book(is_locked=True))
    assert rejected.value.reason == "encrypted"


RICH = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS Mincho;}}"
    rb"{\info{\title Gr\'fc\'dfe}}"
    rb"\f0 Stra\'dfe in M\'fcnchen.\par "
    rb"{\f1\'93\'fa\'96\'7b\'8c\'ea}\par \u1605?\u1585? \u-10179?\u-8704?\par"
    rb"\trowd a\cell b\cell\row\trowd 1\cell 2\cell\row\pard {\footnote hidden}"
    rb"{\pict " + b"0a" * 4_000 + rb"}End.\par}"
)


def test_rich_text_keeps_letters_of_every_code_page(read: Reader) -> None:
    found = read("a.rtf", RICH)

    assert found.title == "Grüße"
    assert found.blocks == [
        Block(text="Straße in München."),
        Block(text="日本語"),
        Block(text="مر 😀"),
        Block(text="a | b\n1 | 2", is_table=True),
        Block(text="End."),
    ]
    assert found.omissions == {"footnotes": 1}


def test_rich_text_without_its_end_is_refused(read: Reader) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        read("a.rtf", RICH[:-4])

    assert rejected.value.reason == "damaged"
