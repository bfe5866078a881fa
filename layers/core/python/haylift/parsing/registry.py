"""Which converter reads a file: chosen by its bytes first, by its name second.

A new format is one module beside this one, with a function `convert`, and one entry of `FORMATS`.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from haylift.domain.errors import DocumentRejected
from haylift.parsing import recognition as by
from haylift.parsing.converter import Converter, SourceFile
from haylift.parsing.recognition import Recogniser, Sample

OFFICE = "application/vnd.openxmlformats-officedocument"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: how it is known, and where its converter stands; that module is loaded only when needed.

    Args:
        recognises: says that the bytes are certainly of this format, whatever the name is.
        resembles: says so of text whose name tells nothing.
    """

    media_type: str
    module: str
    extensions: frozenset[str]
    recognises: Recogniser = by.never
    resembles: Recogniser = by.never

    def converter(self) -> Converter:
        """The `convert` function of the format's module."""
        return cast(Converter, import_module(f"haylift.parsing.{self.module}").convert)


def _format(
    media_type: str,
    module: str,
    extensions: str,
    *,
    recognises: Recogniser = by.never,
    resembles: Recogniser = by.never,
) -> Format:
    known = frozenset(extensions.split())
    return Format(
        media_type=media_type, module=module, extensions=known, recognises=recognises, resembles=resembles
    )


_WORD = rb"wordprocessingml\.(?:document|template)\.main|ms-word\.\w+\.macroEnabled\w*\.main"
_SLIDES = rb"presentationml\.(?:presentation|slideshow|template)\.main|ms-powerpoint\.\w+\.macroEnabled\.main"
_SHEETS = rb"spreadsheetml\.(?:sheet|template)\.main|ms-excel\.(?:sheet|template)\.macroEnabled\.main"

PDF = _format("application/pdf", "pdf", ".pdf", recognises=by.is_pdf)
DOCX = _format(
    f"{OFFICE}.wordprocessingml.document",
    "docx",
    ".docx .docm .dotx .dotm",
    recognises=by.has_part("word/document.xml", _WORD),
)
PPTX = _format(
    f"{OFFICE}.presentationml.presentation",
    "pptx",
    ".pptx .pptm .ppsx .ppsm .potx",
    recognises=by.has_part("ppt/presentation.xml", _SLIDES),
)
XLSX = _format(
    f"{OFFICE}.spreadsheetml.sheet",
    "xlsx",
    ".xlsx .xlsm .xltx .xltm",
    recognises=by.has_part("xl/workbook.xml", _SHEETS),
)
EPUB = _format("application/epub+zip", "epub", ".epub", recognises=by.has_part("META-INF/container.xml"))
RTF = _format("application/rtf", "rtf", ".rtf", recognises=by.is_rtf)
HTML = _format("text/html", "html", ".html .htm .xhtml", recognises=by.is_html)
EML = _format("message/rfc822", "eml", ".eml .mht .mhtml", recognises=by.is_mail)
JSONL = _format("application/jsonl", "jsonl", ".jsonl .ndjson", resembles=by.is_like_json_lines)
JSON = _format("application/json", "json", ".json", resembles=by.is_like_json)
CSV = _format("text/csv", "csv", ".csv .tsv .tab", resembles=by.is_like_table)
MARKDOWN = _format("text/markdown", "markdown", ".md .markdown")
TEXT = _format("text/plain", "text", ".txt .text")

FORMATS = (PDF, DOCX, PPTX, XLSX, EPUB, RTF, HTML, EML, JSONL, JSON, CSV, MARKDOWN, TEXT)
"""In the order in which they are asked: the first that recognises the file reads it."""

_BINARY = frozenset(
    extension for known in (PDF, DOCX, PPTX, XLSX, EPUB, RTF) for extension in known.extensions
)


def choose(source: SourceFile) -> Format:
    """The format of the file; its name decides only between kinds of text.

    Raises:
        DocumentRejected: `empty`, `encrypted`, `damaged` or `unsupported_format`.
    """
    sample = Sample.of(source)
    if not sample.head:
        raise DocumentRejected("The file has no bytes.", reason="empty")
    for known in FORMATS:
        if known.recognises(sample):
            return known
    _refuse_what_is_no_text(sample)
    return _named(source) or next((known for known in FORMATS if known.resembles(sample)), TEXT)


def _named(source: SourceFile) -> Format | None:
    for known in FORMATS:
        if source.extension in known.extensions and known is not TEXT and source.extension not in _BINARY:
            return known
    if source.extension in TEXT.extensions:
        return None
    media_type = source.content_type.partition(";")[0].strip().lower()
    texts = (HTML, EML, JSONL, JSON, CSV, MARKDOWN)
    return next((known for known in texts if known.media_type == media_type), None)


def _refuse_what_is_no_text(sample: Sample) -> None:
    if sample.is_zip and sample.parts is not None:
        raise DocumentRejected("The archive is no document that is read here.", reason="unsupported_format")
    if sample.head.startswith(by.COMPOUND_HEADER):
        is_encrypted = ENCRYPTED_PACKAGE in sample.source.read_bytes()
        reason = "encrypted" if is_encrypted else "unsupported_format"
        raise DocumentRejected("The file is encrypted or in an old Office format.", reason=reason)
    if not sample.text:
        is_named_so = sample.source.extension in _BINARY
        reason = "damaged" if is_named_so and not _has_signature(sample.head) else "unsupported_format"
        raise DocumentRejected("The file is in no format that is read here.", reason=reason)


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
