"""Files that strangers could send; `python -m tests.hostile.corpus DIR` writes them all, the same each time.

Every file has a name for the bucket, its bytes, and the outcomes that are right for it.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile import packed, pdfs, texts, xml_files

SEARCHABLE = "SEARCHABLE"


@dataclass(frozen=True, kw_only=True)
class HostileFile:
    """One file of the corpus.

    Args:
        name: where it lies below the tenant's folder; hostile itself in some files.
        make: gives its bytes, always the same.
        outcomes: what may become of it: SEARCHABLE or reasons of rejection.
        is_slow: costs seconds; tried by `make verify` only.
        metadata: the object's own, as its uploader wrote it.
    """

    name: str
    make: Callable[[], bytes]
    outcomes: frozenset[str]
    is_slow: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


def _file(name: str, make: Callable[[], bytes], *outcomes: str, is_slow: bool = False) -> HostileFile:
    return HostileFile(name=name, make=make, outcomes=frozenset(outcomes), is_slow=is_slow)


def corpus() -> tuple[HostileFile, ...]:
    """All files."""
    return (*_archives(), *_xml(), *_pdfs(), *_truncated(), *_texts(), *_trees(), *_mail(), *_forgeries())


def _archives() -> tuple[HostileFile, ...]:
    limit, odd = "parser_limit", "unsupported_format"
    one_sheet = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
    return (
        _file("paragraph-bomb.docx",
              lambda: packed.word_pieces(packed.SHORT, 1_500_000), limit, "damaged", is_slow=True),
        _file("text-bomb.docx",
              lambda: packed.word_pieces(packed.PARAGRAPH, 4_000_000), limit, "damaged", is_slow=True),
        _file("media-bomb.docx", lambda: packed.word(word__media__a_xml=packed.zeros(240)), limit),
        _file("lying-sizes.docx", lambda: packed.with_lying_sizes(
            packed.word(word__document_xml=packed.zeros(240))), limit, "damaged"),
        _file("overlapping.docx", lambda: packed.overlapping(2_000, 10), limit, "damaged"),
        _file("slide-bomb.pptx", lambda: packed.archive(
            {"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": packed.zeros(240)}), limit,
              "damaged"),
        _file("sheet-bomb.xlsx", lambda: packed.archive(
            {**one_sheet, "xl/worksheets/sheet1.xml": packed.zeros(240)}), limit, "damaged"),
        _file("flat-bomb.zip", lambda: packed.archive({"a.txt": packed.zeros(300)}), odd),
        _file("nested-archives.zip", lambda: packed.nested(40, packed.archive({"a": packed.zeros(20)})), odd),
        _file("many-entries.zip", lambda: packed.archive({str(n): b"" for n in range(65_535)}), odd, limit,
              is_slow=True),
        _file("links.docx", lambda: packed.with_links(
            "word/document.xml", "/etc/passwd", {"[Content_Types].xml": b"<Types/>"}), "damaged"),
        _file("upwards.zip", lambda: packed.archive({"../../../../etc/cron.d/x": b"* * * * * root x"}), odd),
        _file("upwards.epub", lambda: texts.epub("../../../../../../etc/passwd"), "damaged", "no_text", odd),
        _file("pages-bomb.epub", lambda: texts.epub("page.xhtml", packed.zeros(240)), limit, "damaged"),
    )  # fmt: skip


def _xml() -> tuple[HostileFile, ...]:
    cut = ("damaged", "parser_limit")
    return (
        _file("billion-laughs.docx", lambda: xml_files.word(xml_files.laughs()), *cut),
        _file("quadratic-entities.docx", lambda: xml_files.word(xml_files.quadratic()), *cut),
        _file("xxe-file.docx", lambda: xml_files.word(xml_files.external("file:///etc/passwd")), *cut),
        _file("xxe-http.docx", lambda: xml_files.word(xml_files.external("http://169.254.169.254/")), *cut),
        _file("external-dtd.docx", lambda: xml_files.word(xml_files.external_dtd()), *cut),
        _file("late-doctype.docx", lambda: xml_files.word(xml_files.late(xml_files.laughs())), *cut),
        _file("late-xxe.docx", lambda: xml_files.word(xml_files.late(xml_files.external("file:///etc/passwd"))),
              *cut),
        _file("ebcdic-doctype.docx", xml_files.word_ebcdic, *cut),
        _file("utf16-doctype.docx",
              lambda: xml_files.word_utf16(xml_files.external("file:///etc/passwd")), *cut),
        _file("doctype-in-styles.docx", xml_files.styled, *cut),
        _file("doctype-in-title.docx", xml_files.titled, *cut),
        _file("remote-template.docx", xml_files.remote, SEARCHABLE),
        _file("tables-in-tables.docx", lambda: xml_files.nested_tables(3_000), SEARCHABLE, *cut),
        _file("laughing-strings.xlsx", lambda: xml_files.sheet(strings=xml_files.laughs("sst")), *cut),
        _file("far-cell.xlsx", lambda: xml_files.sheet(cells=xml_files.FAR_CELL), SEARCHABLE, *cut),
        _file("wide-dimension.xlsx", lambda: xml_files.sheet(cells=xml_files.WIDE), SEARCHABLE, *cut),
        _file("huge-cell.xlsx",
              lambda: xml_files.sheet(cells=xml_files.huge_cell(300_000)), SEARCHABLE, *cut),
        _file("65535-sheets.xlsx",
              lambda: xml_files.sheets(65_535), SEARCHABLE, "no_text", *cut, is_slow=True),
        _file("laughing-slide.pptx", lambda: xml_files.slide(xml_files.laughs("p")), *cut),
        _file("laughing-package.epub",
              lambda: texts.epub("page.xhtml", package=xml_files.laughs("package")), *cut),
    )  # fmt: skip


def _pdfs() -> tuple[HostileFile, ...]:
    cut = ("damaged", "parser_limit")
    return (
        _file("page-references.pdf", lambda: pdfs.page_references(100_000), *cut, is_slow=True),
        _file("page-loop.pdf", lambda: pdfs.page_tree(3, is_loop=True), *cut, "no_text"),
        _file("page-tree.pdf", lambda: pdfs.page_tree(5_000), SEARCHABLE, *cut),
        _file("deep-objects.pdf", lambda: pdfs.deep_objects(100_000), SEARCHABLE, "no_text", *cut),
        _file("flate-bomb.pdf", lambda: pdfs.one_page(pdfs.flate(bytes(200 * packed.MIB))), *cut),
        _file("flate-in-flate.pdf",
              lambda: pdfs.one_page(pdfs.flate(bytes(400 * packed.MIB), 3)), *cut, is_slow=True),
        _file("object-stream-bomb.pdf", lambda: pdfs.object_stream(200), SEARCHABLE, *cut, is_slow=True),
        _file("xref-stream-bomb.pdf", lambda: pdfs.xref_stream(100), *cut, is_slow=True),
        _file("huge-xref.pdf", lambda: pdfs.pdf([b"<< /Type /Catalog >>"], xref_count=99_999_999), *cut),
        _file("xref-loop.pdf",
              lambda: pdfs.one_page(pdfs.stream(pdfs.TEXT), trailer=b"/Prev 9"), SEARCHABLE, *cut),
        _file("wide-cmap.pdf", pdfs.wide_cmap, SEARCHABLE, *cut),
        _file("form-loop.pdf", pdfs.form_loop, SEARCHABLE, *cut),
        _file("operators.pdf",
              lambda: pdfs.one_page(pdfs.flate(b"q Q " * 3_000_000)), *cut, "no_text", is_slow=True),
        _file("broken-page.pdf", pdfs.with_broken_page, SEARCHABLE),
    )  # fmt: skip


def _truncated() -> tuple[HostileFile, ...]:
    pdf = pdfs.one_page(pdfs.stream(pdfs.TEXT))
    word = packed.word_body(packed.PARAGRAPH)
    sheet = xml_files.sheet()
    book = texts.epub("page.xhtml")
    png = b"\x89PNG\r\n\x1a\n" + bytes(1_000)
    return (
        _file("truncated.pdf", lambda: pdf[:-40], "damaged"),
        _file("truncated.docx", lambda: word[: len(word) // 2], "damaged"),
        _file("truncated.xlsx", lambda: sheet[: len(sheet) // 2], "damaged"),
        _file("truncated.epub", lambda: book[: len(book) // 2], "damaged"),
        _file("truncated.json", lambda: b'{"cats": ["purr", "sl', SEARCHABLE, "damaged"),
        _file("truncated.rtf", lambda: b"{\\rtf1\\ansi {\\b Cats purr", SEARCHABLE, "damaged"),
        _file("picture.pdf", lambda: png, "unsupported_format"),
        _file("program.txt", lambda: b"MZ\x90\x00" + bytes(range(256)) * 40, "unsupported_format"),
        _file("archive.md", lambda: packed.archive({"a": b"b"}), "unsupported_format"),
        _file("nothing.pdf", lambda: b"", "empty"),
    )


def _texts() -> tuple[HostileFile, ...]:
    kept = (SEARCHABLE, "damaged", "no_text", "unsupported_format", "parser_limit")
    return (
        _file("one-line.txt", lambda: b"cats purr and " * 40_000, SEARCHABLE),
        _file("much-text.txt", lambda: b"cats purr and " * 3_000_000, "parser_limit"),
        _file("long-word.txt", lambda: b"x" * 500_000, SEARCHABLE),
        _file("spaces.txt", lambda: b"cats" + b" " * 2_000_000 + b"purr", SEARCHABLE),
        _file("blank-lines.txt", lambda: b"cats" + b"\n \t" * 600_000 + b"purr", SEARCHABLE),
        _file("full-stops.txt", lambda: b"cats " + b"." * 300_000 + b" purr", SEARCHABLE),
        _file("combining-marks.txt", texts.combining_marks, SEARCHABLE, "parser_limit"),
        _file("null-bytes.txt", lambda: b"cats\0purr\0" * 1_000, *kept),
        _file("control-characters.txt", lambda: b"cats \x07\x1b[2J\x08 purr " + b"word " * 300, SEARCHABLE),
        _file("bidi-controls.txt", "cats \u202egnp.exe\u202c \u2066purr\u2069".encode, SEARCHABLE),
        _file("invalid-utf8.txt", lambda: b"cats \xc3\x28 \xa0\xa1 \xf0\x28\x8c\x28 purr", *kept),
        _file("overlong-utf8.txt", lambda: b"cats \xc0\xaf\xe0\x80\xaf purr", *kept),
        _file("odd-utf16.txt", lambda: b"\xff\xfe" + "cats purr".encode("utf-16-le") + b"x", *kept),
        _file("lone-surrogates.txt", texts.lone_surrogates, *kept),
        _file("only-a-mark.txt", lambda: b"\xef\xbb\xbf", "no_text", "empty", "unsupported_format"),
        _file("brackets.md", lambda: b"[" * 50_000, *kept, is_slow=True),
        _file("emphasis.md", lambda: b"*a **a " * 20_000, *kept, is_slow=True),
        _file("backticks.md", texts.backticks, *kept),
        _file("quotes.md", lambda: b"> " * 20_000 + b"x", *kept),
        _file("lists.md", lambda: b"".join(b" " * n + b"- x\n" for n in range(1_000)), *kept),
        _file("pipes.md", lambda: b"|a" * 50_000 + b"|\n" + b"|-" * 50_000 + b"|\n", *kept),
        _file("links.md", lambda: b"[a](" * 20_000, *kept, is_slow=True),
        _file("unclosed-comment.md", lambda: b"<!-- x " * 50_000, *kept),
    )


def _trees() -> tuple[HostileFile, ...]:
    kept = (SEARCHABLE, "damaged", "no_text", "parser_limit")
    columns = 1_000_000
    return (
        _file("deep.json", lambda: b"[" * 10_000 + b'"cats"' + b"]" * 10_000, *kept),
        _file("deep-objects.json", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, *kept),
        _file("digits.json", lambda: b'{"cats": ' + b"9" * 300_000 + b"}", *kept, is_slow=True),
        _file("surrogates.json", lambda: b'{"cats \\ud800": "purr \\udfff"}', *kept),
        _file("same-keys.json", lambda: b'{"cats": "purr", "cats": "sleep"}', *kept),
        _file("deep.html", lambda: b"<div>" * 10_000 + b"cats purr", *kept),
        _file("unclosed.html", lambda: b"<p><b>cats<i>" * 20_000, *kept, is_slow=True),
        _file("attributes.html", lambda: b"<p " + b"a=b " * 200_000 + b">cats", *kept),
        _file("remote.html", texts.remote_html, SEARCHABLE),
        _file("declared-utf7.html", lambda: b"<meta charset=utf-7><p>+ADw-script+AD4- cats \xff", *kept),
        _file("columns.csv", lambda: b",".join([b"c"] * columns) + b"\n" + b",".join([b"1"] * columns), *kept,
              is_slow=True),
        _file("open-quote.csv", lambda: b'cats,"purr\n' * 50_000, *kept),
        _file("huge-cell.csv", lambda: b'cats,"' + b"purr " * 100_000 + b'"\n', *kept),
        _file("formulas.csv", lambda: b"=cmd|' /C calc'!A0,@SUM(1)\n" * 10, SEARCHABLE),
        _file("null-bytes.csv", lambda: b"cats,\0purr\n" * 100, *kept, "unsupported_format"),
        _file("groups.rtf", lambda: b"{\\rtf1" + b"{" * 100_000 + b"cats" + b"}" * 100_001, *kept,
              "unsupported_format"),
        _file("binary.rtf", lambda: b"{\\rtf1 cats\\bin2147483647 purr}", *kept, "unsupported_format"),
    )  # fmt: skip


def _mail() -> tuple[HostileFile, ...]:
    kept = (SEARCHABLE, "damaged", "no_text", "parser_limit", "unsupported_format")
    return (
        _file("letters-in-letters.eml", lambda: texts.nested_mail(500), *kept),
        _file("many-parts.eml", lambda: texts.many_parts(10_000), *kept, is_slow=True),
        _file("huge-attachment.eml", lambda: texts.with_attachment(10_000_000), *kept),
        _file("many-headers.eml", lambda: texts.many_headers(50_000), *kept, is_slow=True),
        _file("coded-subject.eml", texts.coded_subject, *kept),
    )


def _forgeries() -> tuple[HostileFile, ...]:
    """Files that try to write lines of our log and records of our metrics."""
    lines = texts.FORGED.encode()
    files = (
        _file("forged-lines.txt", lambda: lines * 20, SEARCHABLE),
        _file("forged-title.html", lambda: b"<title>" + lines + b"</title><p>Cats purr.", SEARCHABLE),
        _file("forged-title.pdf", lambda: pdfs.titled(texts.FORGED), SEARCHABLE),
        _file("forged-title.docx", xml_files.forged, SEARCHABLE),
        _file(f"{texts.FORGED}.txt", lambda: b"Cats purr.", SEARCHABLE),
        _file(f"{texts.FORGED}.pdf", lambda: b"no pdf \0\0", "damaged", "unsupported_format"),
    )
    said = {"title": texts.FORGED.replace("\n", " "), "access-groups": "", "language": "en\u202e"}
    told = HostileFile(
        name="forged-metadata.txt",
        make=lambda: b"Cats purr.",
        outcomes=frozenset({SEARCHABLE, "invalid_metadata"}),
        metadata=said,
    )
    return (*files, told)


def main() -> None:
    """Writes every file under a number, since some names are no names for this machine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(corpus()):
        safe = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in file.name)
        (folder / f"{number:03}-{safe[-60:]}").write_bytes(file.make())


if __name__ == "__main__":
    main()
