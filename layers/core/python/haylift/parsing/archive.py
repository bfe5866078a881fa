"""What an archive may unpack to, checked before a library opens it."""

import zipfile

from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import SourceFile

MAX_UNPACKED_BYTES = 209_715_200
"""Sum of the archive's parts; a 426 kB file that unpacks to 400 M characters was seen."""

MAX_PARTS = 20_000
"""A presentation of 1,000 slides has about 5,000."""

PROLOGUE_BYTES = 4_096
"""Where a document type must be declared: before the root element."""


def check_size(archive: zipfile.ZipFile) -> None:
    """Refuses an archive that unpacks to too much; `zipfile` itself reads no more than it declares.

    Raises:
        DocumentRejected: `parser_limit`.
    """
    entries = archive.infolist()
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise DocumentRejected("The document unpacks to more than the limit.", reason="parser_limit")


def check_package(source: SourceFile) -> None:
    """Refuses an Office package that is too large, or has a part that declares a document type.

    Office writes none, and entities would be left out without a trace.

    Raises:
        DocumentRejected: `parser_limit` or `damaged`.
    """
    with source.open() as file, zipfile.ZipFile(file) as archive:
        check_size(archive)
        for entry in archive.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            with archive.open(entry) as part:
                prologue = part.read(PROLOGUE_BYTES)
            # UTF-16 leaves zeros between the letters.
            if b"<!DOCTYPE" in prologue.replace(b"\0", b"").upper():
                raise DocumentRejected("The document declares a document type.", reason="damaged")
