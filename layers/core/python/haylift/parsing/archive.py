"""What an archive may unpack to, checked before a library opens it."""

import os
import re
import zipfile
from typing import IO

from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import SourceFile

MAX_UNPACKED_BYTES = 209_715_200
"""Sum of the archive's parts; a 426 kB file that unpacks to 400 M characters was seen."""

RATIO_FROM_BYTES = 20_971_520
"""Below this the ratio says nothing: a small sheet of equal rows unpacks to 200 times its bytes."""

MAX_PARTS = 20_000
"""A presentation of 1,000 slides has about 5,000."""

SCANNED_BYTES = 1_048_576
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
"""As it is written in the encodings that parts have; a comment of any length may stand before it."""

_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<", b"\0<")
_ENCODING = re.compile(rb"^[^>]{0,100}?encoding\s*=\s*[\"']\s*([\w.:-]+)", re.IGNORECASE)
_KNOWN = re.compile(rb"(utf-?8|utf-?16(le|be)?|us-ascii|iso-8859-\d+|windows-\d+)", re.IGNORECASE)
"""Others (UTF-7, EBCDIC) spell a document type in bytes that nobody looks for."""


def check_size(archive: zipfile.ZipFile, source: SourceFile) -> None:
    """Refuses an archive that unpacks to too much; `zipfile` itself reads no more than it declares.

    Raises:
        DocumentRejected: `parser_limit`.
    """
    entries = archive.infolist()
    unpacked_bytes = sum(entry.file_size for entry in entries)
    with source.open() as file:
        packed_bytes = file.seek(0, os.SEEK_END)
    is_bomb = unpacked_bytes > max(RATIO_FROM_BYTES, source.unpacked_ratio * packed_bytes)
    if is_bomb or len(entries) > MAX_PARTS or unpacked_bytes > MAX_UNPACKED_BYTES:
        raise DocumentRejected("The document unpacks to more than the limit.", reason="parser_limit")


def check_package(source: SourceFile) -> None:
    """Refuses an Office package that is too large, or has a part that declares a document type.

    Office writes none, and entities would be left out without a trace.

    Raises:
        DocumentRejected: `parser_limit` or `damaged`.
    """
    with source.open() as file, zipfile.ZipFile(file) as archive:
        check_size(archive, source)
        for entry in archive.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            with archive.open(entry) as part:
                _check_part(part)


def _check_part(part: IO[bytes]) -> None:
    data = part.read(SCANNED_BYTES)
    said = _ENCODING.match(data.replace(b"\0", b""))
    is_known = not data or (data.startswith(_STARTS) and (said is None or _KNOWN.fullmatch(said.group(1))))
    if not is_known:
        raise DocumentRejected("A part of the document is in an unusual encoding.", reason="damaged")
    overlap = b""
    while data:
        if any(doctype in overlap + data for doctype in _DOCTYPES):
            raise DocumentRejected("The document declares a document type.", reason="damaged")
        overlap = data[-32:]
        data = part.read(SCANNED_BYTES)
