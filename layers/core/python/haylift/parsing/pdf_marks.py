"""Tells a stamp on scanned pages from text."""

from typing import Any

EXAMINED_PAGES = 20
"""A scan that bears its scanner's mark bears it from the first page on."""

MAX_MARK_CHARS = 60


def mark_of(pages: Any) -> str:
    """The short text that is all that the pages say, on two of them or more, each with a picture.

    Scanners, editors and free converters write their name, or that of a layer, on each page; the pages
    are pictures all the same. Empty when there is no such mark.

    Args:
        pages: pypdf's list of pages.
    """
    mark = ""
    times = 0
    for page in pages[:EXAMINED_PAGES]:
        if not _has_picture(page):
            return ""
        text = " ".join(page.extract_text().split())
        if text and (len(text) > MAX_MARK_CHARS or text != (mark or text)):
            return ""
        mark = mark or text
        times += bool(text)
    return mark if times > 1 else ""


def _has_picture(page: Any) -> bool:
    resources = page.get("/Resources")
    drawn = resources.get_object().get("/XObject") if resources is not None else None
    if drawn is None:
        return False
    return any(each.get_object().get("/Subtype") == "/Image" for each in drawn.get_object().values())
