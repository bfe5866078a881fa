"""The bytes choose the format; the name decides only between kinds of text."""

import random

import pytest
from haylift.domain.errors import DocumentRejected
from haylift.parsing.decoding import is_probably_text

from tests.unit.ingestion.files import pdf, word, zip_of
from tests.unit.parsing.conftest import Reader
from tests.unit.parsing.made_files import book, mail, sheets, slides

RTF = rb"{\rtf1 Hello.\par}"
ROWS = b"name,age,town\nTom,3,Ulm\nAnn,4,Bern\nZoe,5,Rome\n"
LETTER = b"Dear Sir,\nwe write to you, as agreed, on Monday.\nPlease answer soon.\nYours, A, B and C\n"


@pytest.mark.parametrize("name", ["a", "a.txt", "a.pdf", "a.docx", "a.json", "a.html", "a.unknown"])
@pytest.mark.parametrize(
    ("data", "module"),
    [
        (pdf("x"), "pdf"),
        (b"junk of a server\r\n" + pdf("x"), "pdf"),
        (word(lambda document: document.add_paragraph("x")), "docx"),
        (slides(), "pptx"),
        (sheets(), "xlsx"),
        (book(), "epub"),
        (RTF, "rtf"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE html><html><body><p>x</body></html>", "html"),
        (mail(), "eml"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_signatures_are_stronger_than_names(read: Reader, name: str, data: bytes, module: str) -> None:
    assert read(name, data).module == module


@pytest.mark.parametrize(
    ("name", "data", "content_type", "module"),
    [
        ("a.csv", b"one line", "", "csv"),
        ("a.tsv", b"a\tb", "", "csv"),
        ("a.txt", ROWS, "", "csv"),
        ("a", b"x", "text/csv", "csv"),
        ("a.txt", LETTER, "", "text"),
        ("a.md", ROWS, "", "markdown"),
        ("a.txt", b'{"a": [1, 2]}', "", "json"),
        ("a.txt", b"{not json at all", "", "text"),
        ("a.txt", b"[see page 4]\nis a note", "", "text"),
        ("a.ndjson", b'{"a": 1}', "", "jsonl"),
        ("a.txt", b"To: all\nSubject: keys\n\nThey are lost.", "", "text"),
        ("a.eml", b"To: all\nSubject: keys\n\nThey are lost.", "", "eml"),
        ("a.txt", b"A PDF begins with %PDF-1.7 and ends with %%EOF.", "", "text"),
        ("a.txt", b"%PDF is not a header", "", "text"),
    ],
)
def test_names_and_looks_decide_between_kinds_of_text(
    read: Reader, name: str, data: bytes, content_type: str, module: str
) -> None:
    assert read(name, data, content_type).module == module


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zip_of(notes=b"text"), "unsupported_format"),
        (b"PK\x05\x06" + bytes(18), "unsupported_format"),
        (book()[:-60], "damaged"),
    ],
    ids=["archive", "empty archive", "torn archive"],
)
def test_archives_that_are_no_documents_are_refused(read: Reader, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        read("a.epub", data)

    assert rejected.value.reason == reason


def test_bytes_of_no_meaning_are_no_text() -> None:
    chance = random.Random(5)

    taken = [size for size in range(100, 2_100) if is_probably_text(chance.randbytes(size))]

    assert taken == []
