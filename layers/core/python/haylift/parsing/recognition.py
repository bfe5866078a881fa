"""What the bytes of a file say about its format; each format of the registry names its recogniser here."""

import csv
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import SourceFile
from haylift.parsing.decoding import decode_head, is_probably_text

SNIFFED_BYTES = 8_192
PDF_HEADER_BYTES = 1_024
"""PDF readers accept the header anywhere in the first 1,024 bytes (ISO 32000-1, Annex H.3.4.1)."""

ZIP_HEADERS = (b"PK\x03\x04", b"PK\x05\x06")
COMPOUND_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CONTENT_TYPES = "[Content_Types].xml"
CONTENT_TYPES_BYTES = 1_048_576
DELIMITERS = ",;\t|"
MIN_TABLE_ROWS, MIN_TABLE_COLUMNS = 3, 3
"""A text of fewer lines, or with one comma in each, is no table unless its name says so."""

_STRONG_HEADERS = {"mime-version", "message-id", "received", "return-path", "dkim-signature"}
_HEADER = re.compile(r"([!-9;-~]+):[ \t]?.*")
_PDF_LINE = re.compile(rb"(?:^|[\r\n])%PDF-")
_BEFORE_HTML = re.compile(r"^(?:\s|<\?xml[^>]*>|<!--.*?-->)*", re.DOTALL)
_JSON_START = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\d\-tfn\]])")
_ENCRYPTED_ENTRY = 0x1


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The beginning of a file, as bytes and as text (empty: it reads like no text).

    `parts_by_name` are the entries of an archive; reading them may raise `DocumentRejected`.
    """

    source: SourceFile
    head: bytes
    text: str = field(repr=False)

    @classmethod
    def of(cls, source: SourceFile) -> "Sample":
        """Reads the beginning of the file."""
        with source.open() as file:
            head = file.read(SNIFFED_BYTES)
        return cls(source=source, head=head, text=decode_head(head) if is_probably_text(head) else "")

    @property
    def is_zip(self) -> bool:
        """True for every archive of this kind, office documents and books too."""
        return self.head.startswith(ZIP_HEADERS)

    @cached_property
    def parts(self) -> frozenset[str]:
        """The names of an archive's entries.

        Raises:
            DocumentRejected: `damaged` when it cannot be opened, `encrypted` when it is locked.
        """
        return frozenset(entry.filename for entry in self._entries)

    @cached_property
    def content_types(self) -> bytes:
        """What an Office package says of its parts; empty in any other archive."""
        if CONTENT_TYPES not in self.parts:
            return b""
        with (
            self.source.open() as file,
            zipfile.ZipFile(file) as archive,
            archive.open(CONTENT_TYPES) as part,
        ):
            return part.read(CONTENT_TYPES_BYTES)

    @cached_property
    def _entries(self) -> Sequence[zipfile.ZipInfo]:
        try:
            with self.source.open() as file, zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise DocumentRejected("The archive cannot be opened.", reason="damaged") from None
        if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in entries):
            raise DocumentRejected("The archive opens only with a password.", reason="encrypted")
        return entries


type Recogniser = Callable[[Sample], bool]


def never(_: Sample) -> bool:
    """Nothing in the bytes tells: the name does."""
    return False


def is_pdf(sample: Sample) -> bool:
    """A header at the start, or at a line's start below what some servers put above it."""
    found = _PDF_LINE.search(sample.head[:PDF_HEADER_BYTES])
    return found is not None and (not sample.head[: found.start()].strip() or b" obj" in sample.head)


def is_rtf(sample: Sample) -> bool:
    """Rich text begins with its own group."""
    return sample.head.startswith(b"{\\rtf")


def has_part(name: str, media_types: bytes = b"") -> Recogniser:
    """An archive with this entry, or an Office package that declares a main part of these types."""
    declared = re.compile(media_types) if media_types else None

    def recognise(sample: Sample) -> bool:
        if not sample.is_zip:
            return False
        return name in sample.parts or bool(declared and declared.search(sample.content_types))

    return recognise


def is_html(sample: Sample) -> bool:
    """A document type or the root element first, below an XML declaration or comments."""
    start = _BEFORE_HTML.sub("", sample.text, count=1)
    return start[:15].lower().startswith(("<!doctype html", "<html"))


def is_mail(sample: Sample) -> bool:
    """Headers up to an empty line, one of them from a mail server; ordinary notes have none such."""
    names = set()
    for line in sample.text.splitlines():
        found = _HEADER.fullmatch(line)
        if found:
            names.add(found.group(1).lower())
        elif line[:1] not in {" ", "\t"} or not names:
            # A mailbox begins its letters with such a line; the end of a long header block is not seen.
            if not line or len(sample.head) == SNIFFED_BYTES or line.startswith(">"):
                break
            if not (line.startswith("From ") and not names):
                return False
    return bool(names & _STRONG_HEADERS) and bool(names & {"from", "to", "subject", "date"})


def is_like_json(sample: Sample) -> bool:
    """Opened as JSON opens and closed as it closes; the converter reads anything else as text."""
    if not _JSON_START.match(sample.text):
        return False
    with sample.source.open() as file:
        file.seek(-min(file.seek(0, 2), SNIFFED_BYTES), 2)
        return file.read().replace(b"\0", b"").rstrip()[-1:] == (
            b"}" if sample.text.strip()[0] == "{" else b"]"
        )


def is_like_json_lines(sample: Sample) -> bool:
    """Two lines or more, the first two of which are objects."""
    lines = [line for line in sample.text.splitlines() if line.strip()]
    whole = lines[:-1] if len(sample.head) == SNIFFED_BYTES else lines
    return len(whole) >= 2 and all(map(_is_object, whole[:2]))


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def is_like_table(sample: Sample) -> bool:
    """Several lines of the same number of columns by one delimiter."""
    return dialect(sample.text, min_rows=MIN_TABLE_ROWS, min_columns=MIN_TABLE_COLUMNS) is not None


def dialect(text: str, *, min_rows: int = 1, min_columns: int = 2) -> str | None:
    """The delimiter of a table's beginning: that by which most rows have the same number of columns.

    The standard library's `csv.Sniffer` takes any frequent character for one, letters included.
    """
    best: tuple[float, int, str] | None = None
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in islice(csv.reader(text.splitlines(), delimiter=delimiter), 51) if row]
        except csv.Error:
            continue
        # The last row may be torn by the end of the sample.
        widths = [len(row) for row in rows[:-1]] or [len(row) for row in rows]
        width = max(set(widths), key=widths.count, default=0)
        share = widths.count(width) / len(widths) if widths else 0.0
        if len(rows) >= min_rows and width >= min_columns and share >= 0.8:
            best = max(best or (0.0, 0, ""), (share, width, delimiter))
    return best[2] if best else None
