"""Spreadsheets by openpyxl, row by row: the values that a reader sees, sheet by sheet."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from haylift.domain.chunks import Block
from haylift.parsing.archive import check_package
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.table_rows import table_blocks


def convert(source: SourceFile) -> Converted:
    """A workbook's sheets, hidden ones too; its title is the property.

    A formula gives the value that was last computed; where a program wrote none, the formula itself.

    Raises:
        DocumentRejected: as `check_package` does.
    """
    check_package(source)
    workbook = load_workbook(source.loaded(), read_only=True, data_only=True, keep_links=False)
    return Converted(title=(workbook.properties.title or "").strip(), blocks=_blocks(workbook, source))


def _blocks(workbook: Any, source: SourceFile) -> Iterator[Block]:
    formulas = _formulas(source)
    for sheet in workbook.worksheets:
        # What a sheet says of its size would be filled up with empty cells.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        if formulas is not None:
            formulas[sheet.title].reset_dimensions()
            rows = map(_merged, rows, formulas[sheet.title].iter_rows(values_only=True))
        yield from table_blocks((list(map(_shown, row)) for row in rows), sheet=sheet.title)


def _formulas(source: SourceFile) -> Any:
    """The same workbook with formulas in the place of values; None when it has no formulas."""
    with source.open() as file, zipfile.ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(_has_formula(archive, name) for name in sheets if name.endswith(".xml")):
            return None
    return load_workbook(source.loaded(), read_only=True, data_only=False, keep_links=False)


def _has_formula(archive: zipfile.ZipFile, name: str) -> bool:
    end = b""
    with archive.open(name) as part:
        while data := part.read(1_048_576):
            if b"<f>" in end + data or b"<f " in end + data:
                return True
            end = data[-2:]
    return False


def _merged(values: Sequence[Any], formulas: Sequence[Any]) -> list[Any]:
    return [formula if value is None else value for value, formula in zip(values, formulas, strict=False)]


def _shown(value: Any) -> str:
    """As people write it: a day without a midnight, no digits of binary fractions."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    # A formula over several cells is an object of its own.
    return "" if value is None else str(getattr(value, "text", value))
