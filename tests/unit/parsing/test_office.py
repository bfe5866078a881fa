"""Slides and sheets keep their places, tables and headings."""

import io
import zipfile

import pytest
from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.table_rows import table_blocks
from haylift.services.splitting import SplitLimits, split_blocks

from tests.unit.parsing.conftest import Reader
from tests.unit.parsing.made_files import picture_slides, sheets, slides


def test_slides_keep_number_title_tables_charts_and_notes(read: Reader) -> None:
    found = read("a.pptx", slides())

    prices = ("Prices",)
    assert found.title == "Harbour tariffs"
    assert found.blocks == [
        Block(text="Berths cost more in summer.\nWinter is cheap.", slide=1, headings=("Harbour tariffs",)),
        Block(text="Mention the discount.", slide=1, headings=("Harbour tariffs", "Notes")),
        Block(text="berth | price\nA1 | 12", slide=2, headings=prices, is_table=True),
        Block(text="In a group.", slide=2, headings=prices),
        Block(text=" | May | June\nShips | 3 | 5.5".strip(), slide=2, headings=prices, is_table=True),
        Block(text="Thank you", slide=3, headings=("Thank you",)),
    ]


def test_slides_of_pictures_have_no_text(read: Reader) -> None:
    assert read("a.pptx", picture_slides()).blocks == []


def test_sheets_keep_name_caption_header_and_values_as_people_write_them(read: Reader) -> None:
    found = read("a.xlsx", sheets())

    assert found.title == "Berths 2026"
    assert found.blocks == [
        Block(text="All prices in euros", sheet="Prices"),
        Block(
            text="berth | price | from | free\n"
            "A0 | 0.3 | 2026-05-01 | TRUE\nA1 | 0.3 | 2026-05-01 | TRUE\nA2 | 0.3 | 2026-05-01 | TRUE",
            sheet="Prices",
            is_table=True,
        ),
        Block(text="total | =SUM(Prices!B3:B5)", sheet="Sümme 合計", is_table=True),
    ]


def test_every_piece_of_a_long_table_has_its_header(read: Reader) -> None:
    blocks = read("a.xlsx", sheets(1_000)).blocks

    pieces = list(split_blocks(blocks, SplitLimits(max_tokens=128, overlap_tokens=16)))

    assert len(pieces) > 50
    assert headless([piece.text for piece in pieces[1:-1]], "berth | price | from | free") == []
    rows = [line for piece in pieces for line in piece.text.splitlines() if line.startswith("A")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [f"A{number}" for number in range(1_000)]


def headless(pieces: list[str], header: str) -> list[str]:
    """Pieces that do not say what their columns are."""
    return [text for text in pieces if header not in text]


def test_a_table_that_lost_its_header_would_be_seen() -> None:
    limits = SplitLimits(max_tokens=64, overlap_tokens=0)
    rows = [["berth", "price"], *([f"A{number}", "12"] for number in range(100))]
    torn = [Block(text=block.text, is_table=False) for block in table_blocks(rows)]

    pieces = [piece.text for piece in split_blocks(torn, limits)]

    assert len(headless(pieces, "berth | price")) == len(pieces) - 1


def with_doctype(document: bytes, name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == name:
                end = data.find(b"?>") + 2 if b"?>" in data else 0
                data = data[:end] + b'<!DOCTYPE x [<!ENTITY e "boom">]>' + data[end:]
            new.writestr(entry, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [("a.pptx", slides(), "ppt/slides/slide1.xml"), ("a.xlsx", sheets(), "xl/worksheets/sheet1.xml")],
)
def test_entities_are_refused_rather_than_left_out(read: Reader, name: str, data: bytes, part: str) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        read(name, with_doctype(data, part))

    assert rejected.value.reason == "damaged"
