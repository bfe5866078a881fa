"""Which converter reads a file: chosen by its bytes first, by its name second."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converter
from haylift.parsing.decoding import is_probably_text

SNIFFED_BYTES = 8_192
PDF_HEADER_BYTES = 1_024
"""PDF readers accept the header anywhere in the first 1,024 bytes (ISO 32000-1, Annex H.3.4.1)."""

ZIP_HEADER = b"PK\x03\x04"
COMPOUND_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: its media type, and where its converter stands; that module is loaded only when needed."""

    media_type: str
    module: str
    extensions: frozenset[str]

    def converter(self) -> Converter:
        """The `convert` function of the format's module."""
        return cast(Converter, import_module(f"haylift.parsing.{self.module}").convert)


MARKDOWN = Format(media_type="text/markdown", module="markdown", extensions=frozenset({".md", ".markdown"}))
TEXT = Format(media_type="text/plain", module="text", extensions=frozenset({".txt", ".text"}))
HTML = Format(media_type="text/html", module="html", extensions=frozenset({".html", ".htm", ".xhtml"}))
PDF = Format(media_type="application/pdf", module="pdf", extensions=frozenset({".pdf"}))
DOCX = Format(
    media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    module="docx",
    extensions=frozenset({".docx"}),
)
BINARY_FORMATS = (PDF, DOCX)
TEXT_FORMATS = (MARKDOWN, HTML)


def choose(path: Path, extension: str, content_type: str) -> Format:
    """The format of the file.

    Args:
        extension: with its dot, lower case; decides only between kinds of text.

    Raises:
        DocumentRejected: `empty`, `encrypted`, `damaged` or `unsupported_format`.
    """
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    if not head:
        raise DocumentRejected("The file has no bytes.", reason="empty")
    if b"%PDF-" in head[:PDF_HEADER_BYTES]:
        return PDF
    for header, of_container in _CONTAINERS.items():
        if head.startswith(header):
            return of_container(path)
    if head.startswith(b"{\\rtf") or not is_probably_text(head):
        is_named_so = any(extension in known.extensions for known in BINARY_FORMATS)
        reason = "damaged" if is_named_so and not _has_signature(head) else "unsupported_format"
        raise DocumentRejected("The file is in no format that is read here.", reason=reason)
    return _text_format(head, extension, content_type)


def _of_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise DocumentRejected("The archive cannot be opened.", reason="damaged") from None
    if "word/document.xml" in names:
        return DOCX
    raise DocumentRejected("The archive is no Word document.", reason="unsupported_format")


def _of_compound(path: Path) -> Format:
    is_encrypted = ENCRYPTED_PACKAGE in path.read_bytes()
    reason = "encrypted" if is_encrypted else "unsupported_format"
    raise DocumentRejected("The file is encrypted or in an old Office format.", reason=reason)


_CONTAINERS: dict[bytes, Callable[[Path], Format]] = {ZIP_HEADER: _of_zip, COMPOUND_HEADER: _of_compound}

_SIGNATURES: tuple[bytes, ...] = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x7fELF",
)
_SIGNATURES += (b"MZ", b"BM", b"II*\0", b"MM\0*", b"ID3", b"OggS", b"BZh", b"\xfd7zXZ")


def _has_signature(head: bytes) -> bool:
    return head.startswith(_SIGNATURES)


def _text_format(head: bytes, extension: str, content_type: str) -> Format:
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return HTML
    for known in TEXT_FORMATS:
        if extension in known.extensions:
            return known
    if extension not in TEXT.extensions:
        for known in TEXT_FORMATS:
            if content_type.partition(";")[0].strip().lower() == known.media_type:
                return known
    return TEXT
