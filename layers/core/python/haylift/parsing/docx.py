"""Word documents: paragraphs, lists and tables in the order of the body."""

import zipfile
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.oxml.ns import qn

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, Outline, SourceFile

MAX_UNPACKED_BYTES = 209_715_200
"""Sum of the archive's parts; a 426 kB file that unpacks to 400 M characters was seen."""

_PARAGRAPH, _TABLE = qn("w:p"), qn("w:tbl")
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = {qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), _FALLBACK}
"""What was deleted, properties (tab stops are no tabs), and the second telling of a text box."""


def convert(source: SourceFile) -> Converted:
    """A Word document's text; its title is the property, or the first paragraph of style Title.

    Raises:
        DocumentRejected: `parser_limit` when it unpacks to too much, `damaged` when a part declares a
            document type: Word writes none, and its entities would be left out without a trace.
    """
    with zipfile.ZipFile(source.path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise DocumentRejected("The document unpacks to more than the limit.", reason="parser_limit")
        with archive.open("word/document.xml") as part:
            if b"<!DOCTYPE" in part.read(4_096):
                raise DocumentRejected("The document declares a document type.", reason="damaged")
    document = Document(str(source.path))
    levels = _heading_levels(document)
    title = document.core_properties.title or _styled_title(document, levels)
    return Converted(title=title.strip(), blocks=_blocks(document.element.body, levels))


def _heading_levels(document: Any) -> dict[str, int]:
    """The heading level by style id: by the style's name or its outline level; 0 is the title."""
    levels: dict[str, int] = {}
    for style in document.styles.element.iter(qn("w:style")):
        name = (style.name_val or "").lower()
        outline = style.find(f".//{qn('w:outlineLvl')}")
        if name == "title":
            levels[style.styleId] = 0
        elif name.startswith("heading ") and name[8:].isdigit():
            levels[style.styleId] = int(name[8:])
        elif outline is not None and outline.get(qn("w:val"), "9").isdigit():
            level = int(outline.get(qn("w:val"), "9"))
            levels |= {style.styleId: level + 1} if level < 9 else {}
    return levels


def _styled_title(document: Any, levels: dict[str, int]) -> str:
    for paragraph in document.element.body.iter(qn("w:p")):
        if levels.get(paragraph.style or "") == 0:
            return _text(paragraph)
    return ""


def _blocks(body: Any, levels: dict[str, int]) -> Iterator[Block]:
    outline = Outline()
    for element in _nearest(body, _PARAGRAPH, _TABLE):
        if element.tag == _TABLE:
            text = "\n".join(_rows(element))
            if text.strip():
                yield outline.block(text, is_table=True)
            continue
        text = _text(element).strip()
        level = levels.get(element.style or "")
        if text and level is None:
            yield outline.block(f"- {text}" if _is_list_item(element) else text)
        elif text:
            yield from outline.enter(level or 0, text)
    yield from outline.leave()


def _nearest(parent: Any, *tags: str) -> Iterator[Any]:
    """The outermost elements of these tags, also those in content controls and in what was inserted."""
    for element in parent:
        if element.tag in tags:
            yield element
        elif element.tag not in _SKIPPED:
            yield from _nearest(element, *tags)


def _rows(table: Any) -> Iterator[str]:
    for row in _nearest(table, qn("w:tr")):
        cells = (" ".join(_text(cell).split()) for cell in _nearest(row, qn("w:tc")))
        yield " | ".join(cells)


def _is_list_item(paragraph: Any) -> bool:
    return paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None


def _text(element: Any) -> str:
    """All text inside, line breaks kept; what was deleted under revision is left out."""
    parts: list[str] = []
    waiting = [iter(element)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
            continue
        if child.tag in _SKIPPED:
            continue
        if child.tag == qn("w:t"):
            parts.append(child.text or "")
        elif child.tag in _BREAKS:
            parts.append(_BREAKS[child.tag])
        elif child.tag == _PARAGRAPH and parts:
            parts.append("\n")
        waiting.append(iter(child))
    return "".join(parts)
