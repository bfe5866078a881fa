"""Presentations by python-pptx: each slide's text, tables, charts and diagrams, and its speaker's notes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree
from pptx.oxml.ns import qn
from pptx.package import Package

from haylift.domain.chunks import Block
from haylift.parsing.archive import check_package
from haylift.parsing.converter import MAX_HEADING_CHARS, Converted, SourceFile

NOTES = "Notes"
EMPTY_TITLES = frozenset({"powerpoint presentation", "powerpoint-präsentation", "presentation"})
"""What PowerPoint and its libraries put where nobody gave a title."""

_PARAGRAPH, _TEXT, _BREAK = qn("a:p"), qn("a:t"), qn("a:br")
_SHAPE, _GROUP, _FRAME = qn("p:sp"), qn("p:grpSp"), qn("p:graphicFrame")
_TITLES = {"title", "ctrTitle"}
_NUMBERS = {"sldNum", "dt", "ftr", "hdr"}
"""Placeholders that repeat on each slide."""

_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def convert(source: SourceFile) -> Converted:
    """A presentation's slides in their order; its title is the property, else the first slide's title.

    Raises:
        DocumentRejected: as `check_package` does.
    """
    check_package(source)
    part = Package.open(source.loaded()).presentation_part
    presentation = part.presentation
    title = (part.core_properties.title or "").strip()
    if title.lower() in EMPTY_TITLES or not title:
        title = next((_title(slide.element) for slide in presentation.slides), "")
    omissions: Counter[str] = Counter()
    return Converted(title=title, blocks=_blocks(presentation, omissions), omissions=omissions)


def _blocks(presentation: Any, omissions: Counter[str]) -> Iterator[Block]:
    for number, slide in enumerate(presentation.slides, start=1):
        title = _title(slide.element)
        headings = (title,) if 0 < len(title) <= MAX_HEADING_CHARS else ()
        told = Counter([title] if headings else [])
        is_bare = True
        for text, is_table in _texts(slide.part, slide.shapes._spTree, omissions):
            if text.strip() and not told[text.strip()]:
                is_bare = False
                yield Block(text=text.strip(), slide=number, headings=headings, is_table=is_table)
        if is_bare and headings:
            yield Block(text=title, slide=number, headings=headings)
        if slide.has_notes_slide:
            notes = slide.notes_slide
            for text, is_table in _texts(notes.part, notes.shapes._spTree, omissions):
                if text.strip():
                    yield Block(
                        text=text.strip(), slide=number, headings=(*headings, NOTES), is_table=is_table
                    )


def _title(element: Any) -> str:
    for shape in element.iter(_SHAPE):
        if _placeholder(shape) in _TITLES:
            return " ".join(_paragraphs(shape).split())
    return ""


def _placeholder(shape: Any) -> str:
    found = shape.find(f"{qn('p:nvSpPr')}/{qn('p:nvPr')}/{qn('p:ph')}")
    return "" if found is None else str(found.get("type", "obj"))


def _texts(part: Any, tree: Any, omissions: Counter[str]) -> Iterator[tuple[str, bool]]:
    """Text and whether it is a table, of each shape in the tree's order, groups and alternatives entered."""
    waiting = [iter(tree)]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
        elif element.tag == _SHAPE:
            if _placeholder(element) not in _NUMBERS:
                yield _paragraphs(element), False
        elif element.tag == _FRAME:
            yield from _framed(part, element, omissions)
        elif element.tag in {_GROUP, f"{_COMPATIBILITY}AlternateContent", f"{_COMPATIBILITY}Choice"}:
            waiting.append(iter(element))


def _paragraphs(element: Any) -> str:
    """The paragraphs' text, one a line."""
    return "\n".join(_run(paragraph) for paragraph in element.iter(_PARAGRAPH)).strip("\n")


def _run(paragraph: Any) -> str:
    parts = ["\n" if found.tag == _BREAK else found.text or "" for found in paragraph.iter(_TEXT, _BREAK)]
    return "".join(parts)


def _framed(part: Any, frame: Any, omissions: Counter[str]) -> Iterator[tuple[str, bool]]:
    for table in frame.iter(qn("a:tbl")):
        rows = (
            " | ".join(" ".join(_paragraphs(cell).split()) for cell in row.iter(qn("a:tc")))
            for row in table.iter(qn("a:tr"))
        )
        yield "\n".join(rows), True
    for data in frame.iter(qn("a:graphicData")):
        if data.get("uri") not in {_CHART, _DIAGRAM}:
            continue
        attribute = f"{_RELATED}id" if data.get("uri") == _CHART else f"{_RELATED}dm"
        name = next((found.get(attribute) for found in data.iter() if found.get(attribute)), "")
        try:
            related = part.related_part(name)
        except KeyError:
            omissions["diagrams"] += 1
            continue
        yield (_chart(related.chart), True) if data.get("uri") == _CHART else (_diagram(related.blob), False)


def _chart(chart: Any) -> str:
    """Its title, then its numbers as a table with the categories in the first row."""
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    rows = [title] if title else []
    for plot in chart.plots:
        rows.append(" | ".join(["", *map(str, plot.categories)]))
        rows += [" | ".join([series.name, *map(_number, series.values)]) for series in plot.series]
    return "\n".join(rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _diagram(data: bytes) -> str:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return _paragraphs(etree.fromstring(data, parser))
