"""Files of every format through the real parser process, the cleaner and the splitter.

The collection of real files is read where it lies: in `documents/` of the folder that HAYLIFT_DATASETS names,
or of `../shared/datasets` beside the checkout. Files made here stand for them where it is missing.
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.domain.chunks import ParsedDocument
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected
from haylift.services.cleaning import clean_document
from haylift.services.splitting import Piece, SplitLimits, estimated_tokens, split_blocks
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.unit.ingestion.files import encrypted, handbook, pdf, word
from tests.unit.parsing.made_files import book, mail, picture_slides, sheets, slides
from tests.unit.parsing.test_text_formats import RICH

ROOT = Path(__file__).parents[3]
DATASETS = Path(os.environ.get("HAYLIFT_DATASETS", ROOT.parent / "shared" / "datasets"))
REAL_FILES = DATASETS / "documents"

# The memory that ingestion gives; time for a machine with other work.
PARSER = ParserProcess(ParserLimits(time_s=240.0, memory_bytes=1_073_741_824, output_chars=20_000_000))
SPLIT = SplitLimits(max_tokens=256, overlap_tokens=32)


@dataclass(frozen=True)
class Expected:
    """How a file ends: with these words at this place, or with a reason.

    Args:
        places: what one piece with the words must say of itself.
    """

    words: str = ""
    places: tuple[object, ...] = ()
    reason: str = ""
    partial: str = ""


REAL = {
    "book.epub": Expected("This is the text for chapter One", ("Chapter 1",)),
    "booking.pdf": Expected("Holiday Movie Marathon Package", (1,)),
    "guide.pdf": Expected("A wiki", (2,)),
    "long_german_book.pdf": Expected("Ein topologischer Raum ist ein Paar", (6, "1.1 Topologische Räume")),
    "message_with_picture.eml": Expected("has a PNG attachment included", partial="1 attachments"),
    "outline.pdf": Expected("here is some text without a meaning", (2, "1 Foo")),
    "page_breaks.docx": Expected("This paragraph has a soft page break"),
    "password_protected.pptx": Expected(reason="encrypted"),
    "pictures_only.pdf": Expected(reason="no_text"),
    "receipt.pdf": Expected("4567 Innovation Blvd", (1, "TECHMART ELECTRONICS")),
    "report.docx": Expected("coronavirus cases, President Donald Trump said", ("Sample Docx File",)),
    "resume.html": Expected("Предлагаем Вам ознакомиться"),
    "scan_without_text.pdf": Expected(reason="no_text"),
    "sheet.xlsx": Expected("Python | Docs", ("Sheet1",)),
    "slides.pptx": Expected("Just plain text here.", (2, "Slide Without Links")),
    "table.xlsx": Expected("Sample Excel Worksheet - Numbers and their Squares", ("Feuil1",)),
    "various.docx": Expected("Here is a text box"),
    "various.pptx": Expected("Row 1 Col 1 | Row 1 Col 2", (1,)),
}

MADE = {
    "a.md": (b"# Keys\n\nThey are lost.", Expected("They are lost.", ("Keys",))),
    "a.txt": ("Die Schlüssel liegen dort.".encode("cp1252"), Expected("Die Schlüssel liegen dort.")),
    "a.html": (b"<html><body><h1>Keys</h1><p>Lost.", Expected("Lost.", ("Keys",))),
    "a.pdf": (pdf("", "Cats purr."), Expected("Cats purr.", (2,))),
    "locked.pdf": (encrypted(pdf("Cats purr."), "secret"), Expected(reason="encrypted")),
    "picture.pdf": (pdf(""), Expected(reason="no_text")),
    "a.docx": (word(handbook), Expected("Tom | 3", ("Cats",))),
    "a.pptx": (slides(), Expected("A1 | 12", (2, "Prices"))),
    "picture.pptx": (picture_slides(), Expected(reason="no_text")),
    "a.xlsx": (sheets(), Expected("A1 | 0.3", ("Prices",))),
    "a.csv": (b"berth;price\nA1;12\n", Expected("A1 | 12")),
    "a.json": (b'{"berths": [{"name": "A1", "text": "' + b"wide " * 90 + b'"}]}', Expected("wide wide")),
    "a.jsonl": (b'{"name": "A1"}\n{"name": "A2"}\n', Expected("name: A2")),
    "a.eml": (mail(attachments={"a.bin": bytes(50)}), Expected("is lost", partial="1 attachments")),
    "a.epub": (book(), Expected("日本語の本文。", ("Second",))),
    "a.rtf": (RICH, Expected("Straße in München.", partial="1 footnotes")),
}


@dataclass(frozen=True)
class Ended:
    """What became of a file."""

    reason: str = ""
    document: ParsedDocument | None = None
    pieces: tuple[Piece, ...] = ()


def ended(file: Path, name: str, parser: ParserProcess = PARSER) -> Ended:
    """As the indexing pipeline does it."""
    try:
        document = clean_document(parser.parse(file, DocumentKey("acme", name), ""))
    except DocumentRejected as rejection:
        return Ended(reason=rejection.reason)
    return Ended(document=document, pieces=tuple(split_blocks(document.blocks, SPLIT)))


def faults(expected: Expected, found: Ended) -> list[str]:
    """What is not as expected; empty when all is."""
    if found.reason or expected.reason or found.document is None:
        return [] if found.reason == expected.reason else [f"ended with {found.reason or 'text'}"]
    told = []
    pieces = [piece for piece in found.pieces if expected.words in " ".join(piece.text.split())]
    if not pieces:
        told.append("the words are not found")
    elif not any(_has_places(piece, expected.places) for piece in pieces):
        told.append("the words are not at their place")
    if found.document.partial_detail != expected.partial:
        told.append(f"left out: {found.document.partial_detail}")
    told += [
        f"too long: {each.text}" for each in found.pieces if estimated_tokens(each.text) > SPLIT.max_tokens
    ]
    written = "".join("".join(block.text.split()) for block in found.document.blocks)
    kept = "".join("".join(piece.text.split()) for piece in found.pieces)
    return told + (["the splitter lost text"] if set(written) - set(kept) or len(kept) < len(written) else [])


def _has_places(piece: Piece, places: tuple[object, ...]) -> bool:
    said = {piece.page, piece.slide, piece.sheet, *piece.headings}
    return set(places) <= said


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_ends_as_expected(name: str) -> None:
    if not REAL_FILES.is_dir():
        pytest.skip(f"no real files: {REAL_FILES} does not exist, HAYLIFT_DATASETS can name another folder")

    assert faults(REAL[name], ended(REAL_FILES / name, name)) == []


def test_no_real_file_is_forgotten() -> None:
    if not REAL_FILES.is_dir():
        pytest.skip(f"no real files: {REAL_FILES} does not exist, HAYLIFT_DATASETS can name another folder")

    assert {file.name for file in REAL_FILES.iterdir()} == set(REAL)


@pytest.mark.parametrize("name", MADE)
def test_a_made_file_ends_as_expected(tmp_path: Path, name: str) -> None:
    data, expected = MADE[name]
    file = tmp_path / "document"
    file.write_bytes(data)

    assert faults(expected, ended(file, name)) == []


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda found: replace(found, pieces=found.pieces[1:]), "the words are not found"),
        (lambda found: replace(found, pieces=tuple(replace(p, page=9) for p in found.pieces)), "place"),
        (lambda found: replace(found, document=replace(found.document, omissions={"pages": 1})), "left out"),
        (lambda _: Ended(reason="no_text"), "ended with no_text"),
    ],
)
def test_a_wrong_end_would_be_seen(tmp_path: Path, break_it: Callable[[Ended], Ended], told: str) -> None:
    file = tmp_path / "document"
    file.write_bytes(pdf("Cats purr."))
    expected = Expected("Cats purr.", (1,))
    found = ended(file, "a.pdf")

    assert faults(expected, found) == []
    assert any(told in fault for fault in faults(expected, break_it(found)))


def scan(text: str) -> bytes:
    """A PDF whose only page is a picture of the text."""
    picture = Image.new("L", (1_000, 300), 255)
    ImageDraw.Draw(picture).text((40, 100), text, font=ImageFont.load_default(40), fill=0)
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(500, 150))
    canvas.drawImage(ImageReader(picture), 0, 0, 500, 150)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_a_scan_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    if find_spec("rapidocr") is None:
        pytest.skip("the optional packages of requirements/ocr.txt are not installed")
    file = tmp_path / "document"
    file.write_bytes(scan("A lost key costs twelve euros."))
    reading = ParserProcess(
        ParserLimits(time_s=240.0, memory_bytes=1_073_741_824, output_chars=20_000_000), ocr=True
    )

    assert ended(file, "scan.pdf").reason == "no_text"
    pieces = ended(file, "scan.pdf", reading).pieces

    assert [(piece.text, piece.page, piece.is_ocr) for piece in pieces] == [
        ("A lost key costs twelve euros.", 1, True)
    ]
