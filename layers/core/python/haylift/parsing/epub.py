"""Books: the chapters of an EPUB in reading order, each read as HTML."""

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.archive import check_size
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.html import convert_xhtml

CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
PACKAGE_TYPE = "application/oebps-package+xml"
CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")

_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w-]+)")


def convert(source: SourceFile) -> Converted:
    """A book's chapters; its title is the package's.

    Raises:
        DocumentRejected: `unsupported_format` when the archive is no book, `encrypted` when its chapters
            are, `parser_limit` when it unpacks to too much.
    """
    archive = zipfile.ZipFile(source.loaded())
    check_size(archive, source)
    place = _package_place(archive)
    package = _xml(archive.read(place))
    title = next((" ".join((found.text or "").split()) for found in package.iter("{*}title")), "")
    chapters = list(_chapters(package, posixpath.dirname(place)))
    if set(chapters) & _encrypted(archive):
        raise DocumentRejected("The book is locked.", reason="encrypted")
    omissions: Counter[str] = Counter()
    return Converted(title=title, blocks=_blocks(archive, chapters, omissions), omissions=omissions)


def _xml(data: bytes) -> Any:
    """No entities, nothing from elsewhere, no tree beyond libxml2's own limits."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _package_place(archive: zipfile.ZipFile) -> str:
    for root in _xml(archive.read(CONTAINER)).iter("{*}rootfile"):
        if root.get("media-type") == PACKAGE_TYPE:
            return str(root.get("full-path"))
    raise DocumentRejected("The archive is no book.", reason="unsupported_format")


def _chapters(package: Any, folder: str) -> Iterator[str]:
    """The entries of the chapters as the spine orders them."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in CHAPTER_TYPES:
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))


def _encrypted(archive: zipfile.ZipFile) -> set[str]:
    """What the book says is locked: often only its fonts."""
    if ENCRYPTION not in archive.namelist():
        return set()
    found = _xml(archive.read(ENCRYPTION)).iter("{*}CipherReference")
    return {posixpath.normpath(unquote(reference.get("URI", ""))) for reference in found}


def _blocks(archive: zipfile.ZipFile, chapters: list[str], omissions: Counter[str]) -> Iterator[Block]:
    for chapter in chapters:
        try:
            data = archive.read(chapter)
        except (KeyError, zipfile.BadZipFile):
            omissions["chapters"] += 1
            continue
        declared = _DECLARED.search(data[:200])
        text = decode(data, declared.group(1).decode("ascii") if declared else "")
        yield from convert_xhtml(text).blocks
