"""Files of every format, made here."""

import io
import zipfile
from typing import Any

import docx
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def pdf(*pages: str, title: str = "") -> bytes:
    """A PDF with one line for each page; an empty page has a drawing."""
    file = io.BytesIO()
    canvas = Canvas(file)
    if title:
        canvas.setTitle(title)
    for text in pages:
        if text:
            canvas.drawString(72, 700, text)
        else:
            canvas.rect(72, 700, 50, 50)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def encrypted(plain: bytes, user_password: str) -> bytes:
    """The same PDF, locked; with an empty password it opens for everybody."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    writer.encrypt(user_password, "owner", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def word(fill: Any = None) -> bytes:
    """A Word document that `fill` wrote into."""
    document = docx.Document()
    if fill:
        fill(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def handbook(document: Any) -> None:
    """A title, headings, a list, a table and text under revision."""
    document.add_heading("The handbook", 0)
    document.add_paragraph("Welcome.")
    document.add_heading("Cats", 1)
    document.add_paragraph("Feed them.", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ("name", "age", "Tom", "3"), strict=True):
        cell.text = text
    document.add_heading("Nothing yet", 2)


def zip_of(**parts: bytes) -> bytes:
    """An archive; `/` in a name is written `__`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", data)
    return file.getvalue()


def with_part(document: bytes, name: str, data: bytes) -> bytes:
    """A Word document with one of its parts replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.namelist():
            new.writestr(entry, data if entry == name else old.read(entry))
    return file.getvalue()
