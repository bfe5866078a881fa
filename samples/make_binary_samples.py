"""Makes the PDF and DOCX samples from `sources/`: `.venv/bin/python -m samples.make_binary_samples`.

A source is text: `# title`, `## heading`, paragraphs between blank lines, and `---` for a new page.
The bytes are the same on every run (fixed dates, no random ids), so a diff means that a source changed.
"""

import datetime
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import docx
from docx.enum.text import WD_BREAK
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

FOLDER = Path(__file__).resolve().parent
SOURCES = FOLDER / "sources"
FIXED_DATE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
FIXED_ZIP_DATE = (2026, 1, 1, 0, 0, 0)


def blocks(source: str) -> Iterator[tuple[str, str]]:
    """The source's blocks as (`title` | `heading` | `text` | `page`, text).

    >>> list(blocks("# A\\n\\nOne\\ntwo.\\n---\\n## B"))
    [('title', 'A'), ('text', 'One two.'), ('page', ''), ('heading', 'B')]
    """
    for part in source.replace("\n---\n", "\n\n---\n\n").split("\n\n"):
        text = " ".join(part.split())
        if text == "---":
            yield "page", ""
        elif text.startswith("## "):
            yield "heading", text[3:]
        elif text.startswith("# "):
            yield "title", text[2:]
        elif text:
            yield "text", text


def make_pdf(source: str) -> bytes:
    """A PDF of the source; `invariant` drops reportlab's time stamp and random id."""
    styles = getSampleStyleSheet()
    style_by_kind = {"title": styles["Title"], "heading": styles["Heading2"], "text": styles["BodyText"]}
    story = []
    for kind, text in blocks(source):
        if kind == "page":
            story.append(PageBreak())
        else:
            story += [Paragraph(escape(text), style_by_kind[kind]), Spacer(1, 6)]
    target = io.BytesIO()
    title = next(text for kind, text in blocks(source) if kind == "title")
    SimpleDocTemplate(target, pagesize=A4, title=title, author="Haylift", invariant=1).build(story)
    return target.getvalue()


def make_docx(source: str) -> bytes:
    """A DOCX of the source, its archive written again with fixed dates."""
    document = docx.Document()
    for kind, text in blocks(source):
        if kind == "page":
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        elif kind == "text":
            document.add_paragraph(text)
        else:
            document.add_heading(text, level=0 if kind == "title" else 1)
        if kind == "title":
            document.core_properties.title = text
    document.core_properties.author = "Haylift"
    document.core_properties.comments = ""
    document.core_properties.created = document.core_properties.modified = FIXED_DATE
    target = io.BytesIO()
    document.save(target)
    return _with_fixed_dates(target.getvalue())


def _with_fixed_dates(archive: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, FIXED_ZIP_DATE)
            new.writestr(entry, old.read(name), zipfile.ZIP_DEFLATED)
    return target.getvalue()


MAKER_BY_FILE: dict[str, Callable[[str], bytes]] = {
    "operations-handbook.pdf": make_pdf,
    "tenants-and-security.pdf": make_pdf,
    "deploying-to-aws.docx": make_docx,
}


def make(name: str) -> bytes:
    """The bytes of one file of `MAKER_BY_FILE`."""
    source = SOURCES / Path(name).with_suffix(".txt")
    return MAKER_BY_FILE[name](source.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for file_name in MAKER_BY_FILE:
        (FOLDER / file_name).write_bytes(make(file_name))
