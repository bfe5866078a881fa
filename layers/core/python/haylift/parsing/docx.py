"""Word documents: paragraphs, lists and tables in the order of the body."""

from collections.abc import Iterator
from typing import Any

from docx.opc.part import PartFactory
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml
from docx.package import Package
from docx.parts.document import DocumentPart

from haylift.domain.chunks import Block
from haylift.parsing.archive import check_package
from haylift.parsing.converter import Converted, Outline, SourceFile

OTHER_MAIN_PARTS = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)

NOTES = {"footnotes": "Footnotes", "endnotes": "Endnotes"}

_PARAGRAPH, _TABLE = qn("w:p"), qn("w:tbl")
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = {qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), _FALLBACK}
"""What was deleted, properties (tab stops are no tabs), and the second telling of a text box."""


def convert(source: SourceFile) -> Converted:
    """A Word document's text; its title is the property, or the first paragraph of style Title.

    Raises:
        DocumentRejected: as `check_package` does.
    """
    check_package(source)
    part = _package(source).main_document_part
    levels = _heading_levels(part.document)
    title = part.core_properties.title or _styled_title(part.document, levels)
    return Converted(title=title.strip(), blocks=_all_blocks(part, levels))


def _package(source: SourceFile) -> Any:
    """python-docx opens a template or a document with macros only when it is told what they are."""
    for content_type in OTHER_MAIN_PARTS:
        PartFactory.part_type_for[content_type] = DocumentPart
    return Package.open(source.loaded())


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


def _all_blocks(part: Any, levels: dict[str, int]) -> Iterator[Block]:
    """The body, then the notes, which stand in parts of their own."""
    yield from _blocks(part.document.element.body, levels)
    for relation in part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind not in NOTES or relation.is_external:
            continue
        for note in parse_xml(relation.target_part.blob):
            # Those of a type are the lines that part notes from the text.
            text = "" if note.get(qn("w:type")) else _text(note).strip()
            if text:
                yield Block(text=text, headings=(NOTES[kind],))


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
