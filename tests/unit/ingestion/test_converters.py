"""What each converter makes of a file's structure."""

from collections.abc import Callable
from pathlib import Path

import pytest
from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.registry import DOCX, HTML, MARKDOWN, PDF, TEXT, Format, choose

from tests.unit.ingestion.files import PNG, encrypted, handbook, pdf, with_part, word, zip_of

type Convert = Callable[[Format, bytes], tuple[str, list[Block]]]


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    def run(of_format: Format, data: bytes) -> tuple[str, list[Block]]:
        path = tmp_path / "document"
        path.write_bytes(data)
        converted: Converted = of_format.converter()(SourceFile(path=path, stem="document", content_type=""))
        return converted.title, [block for block in converted.blocks if block.text]

    return run


def test_markdown_keeps_its_headings_lists_code_and_tables(convert: Convert) -> None:
    title, blocks = convert(
        MARKDOWN,
        b"# Guide\n\nHello *world*, see [the page](http://x) and `code`.\nNext line.\n\n## Empty\n\n"
        b"## Steps\n1. one\n   - deep\n2. two\n\n```sh\nrun  it\n```\n\n"
        b"| a | b |\n|---|---|\n| 1 | **2** |\n\n"
        b"<div>raw <b>html</b></div>\n\n> quoted\n",
    )

    steps = ("Guide", "Steps")
    assert title == "Guide"
    assert blocks == [
        Block(text="Hello world, see the page and code.\nNext line.", headings=("Guide",)),
        Block(text="Empty", headings=("Guide", "Empty")),
        Block(text="1. one\n  - deep\n2. two", headings=steps),
        Block(text="run  it", headings=steps),
        Block(text="a | b\n1 | 2", headings=steps, is_table=True),
        Block(text="raw html", headings=steps),
        Block(text="quoted", headings=steps),
    ]


def test_front_matter_names_a_markdown_file(convert: Convert) -> None:
    title, blocks = convert(MARKDOWN, b'---\ntags: x\ntitle: "From the front"\n---\n\n# Heading\n\nText.\n')

    assert title == "From the front"
    assert blocks == [Block(text="Text.", headings=("Heading",))]


def test_a_heading_too_long_for_a_path_is_text(convert: Convert) -> None:
    long = "word " * 60

    _, blocks = convert(MARKDOWN, f"# Short\n\n## {long}\n\nText.".encode())

    assert blocks == [
        Block(text=long.strip(), headings=("Short",)),
        Block(text="Text.", headings=("Short",)),
    ]


def test_html_shows_what_a_reader_sees(convert: Convert) -> None:
    title, blocks = convert(
        HTML,
        b"<!doctype html><html><head><title> The\n page</title><style>p{}</style></head><body>"
        b"<nav>menu</nav><h1>A</h1>lead<p>para <b>bold</b><br>more</p>tail<script>x()</script>"
        b"<ul><li>one<li>two</ul><table><tr><th>h<th>i</tr><tr><td>a</td><td>b<p>c</p></td></tr></table>"
        b"<pre>x\n  y</pre><h2>Lonely</h2></body></html>",
    )

    assert title == "The page"
    assert blocks == [
        Block(text="lead", headings=("A",)),
        Block(text="para bold\nmore", headings=("A",)),
        Block(text="tail", headings=("A",)),
        Block(text="- one", headings=("A",)),
        Block(text="- two", headings=("A",)),
        Block(text="h | i\na | b c", headings=("A",), is_table=True),
        Block(text="x\n  y", headings=("A",)),
        Block(text="Lonely", headings=("A", "Lonely")),
    ]


def test_html_is_read_in_its_declared_encoding(convert: Convert) -> None:
    _, blocks = convert(
        HTML, b'<html><head><meta charset="windows-1251"></head><body>\xcf\xf0\xe8</body></html>'
    )

    assert blocks == [Block(text="При")]


def test_a_pdf_gives_each_page_its_number(convert: Convert) -> None:
    title, blocks = convert(PDF, pdf("Cats purr.", "", "Dogs bark.", title="Animals"))

    assert title == "Animals"
    assert blocks == [Block(text="Cats purr.", page=1), Block(text="Dogs bark.", page=3)]


def test_a_pdf_locked_against_changes_only_is_read(convert: Convert) -> None:
    assert convert(PDF, encrypted(pdf("Cats purr."), ""))[1] == [Block(text="Cats purr.", page=1)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(encrypted(pdf("Cats purr."), "secret"), "encrypted"), (pdf("Cats purr.")[:-300], "damaged")],
    ids=["locked", "truncated"],
)
def test_a_pdf_that_cannot_be_read_whole_is_refused(convert: Convert, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        convert(PDF, data)

    assert rejected.value.reason == reason


def test_word_keeps_its_headings_lists_and_tables(convert: Convert) -> None:
    title, blocks = convert(DOCX, word(handbook))

    cats = ("The handbook", "Cats")
    assert title == "The handbook"
    assert blocks == [
        Block(text="Welcome.", headings=("The handbook",)),
        Block(text="Feed them.", headings=cats),
        Block(text="name | age\nTom | 3", headings=cats, is_table=True),
        Block(text="Nothing yet", headings=(*cats, "Nothing yet")),
    ]


WORD_XML = (
    '<?xml version="1.0"?>{doctype}<w:document xmlns:w='
    '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>'
)


def test_word_reads_content_controls_and_insertions_but_no_deletions(convert: Convert) -> None:
    body = (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:ins><w:r><w:t>Put in</w:t><w:tab/></w:r></w:ins>"
        "<w:del><w:r><w:delText>Taken out</w:delText><w:t>gone</w:t></w:r></w:del>"
        "<w:hyperlink><w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>"
    )
    data = with_part(word(), "word/document.xml", WORD_XML.format(doctype="", body=body).encode())

    assert [block.text for block in convert(DOCX, data)[1]] == ["In a control.", "Put in\ta link"]


def test_word_with_a_document_type_is_refused_rather_than_cut(convert: Convert) -> None:
    body = "<w:p><w:r><w:t>before &x; after</w:t></w:r></w:p>"
    doctype = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    data = with_part(word(), "word/document.xml", WORD_XML.format(doctype=doctype, body=body).encode())

    with pytest.raises(DocumentRejected) as rejected:
        convert(DOCX, data)

    assert rejected.value.reason == "damaged"


def named(path: Path, name: str, content_type: str = "") -> SourceFile:
    return SourceFile(path=path, stem=Path(name).stem, extension=Path(name).suffix, content_type=content_type)


GERMAN = "Zürich grüßt. Äpfel und Öl, Überraschung für große Straßen."
JAPANESE = "これは日本語のテキストです。検索できますか。東京都は日本の首都です。"
ARABIC = "هذا نص عربي للبحث في المستندات الطويلة والقصيرة"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "latin-1"),
        (JAPANESE, "utf-8"),
        (JAPANESE, "shift-jis"),
        (JAPANESE, "euc-jp"),
        (ARABIC, "utf-8"),
        (ARABIC, "cp1256"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_in(convert: Convert, text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).removeprefix("\ufeff") == text
    assert [block.text.removeprefix("\ufeff") for block in convert(TEXT, text.encode(encoding))[1]] == [text]


@pytest.mark.parametrize(
    ("name", "data", "content_type", "expected"),
    [
        ("a.md", b"# Hi", "", MARKDOWN),
        ("a.txt", b"# Hi", "text/markdown", TEXT),
        ("a", b"# Hi", "text/markdown; charset=utf-8", MARKDOWN),
        ("a.log", b"line", "", TEXT),
        ("a.txt", b"  <!DOCTYPE html><p>x", "", HTML),
        ("a.htm", b"<p>x", "", HTML),
        ("a.txt", pdf("x"), "text/plain", PDF),
        ("a.pdf", word(), "application/pdf", DOCX),
        ("a.md", "# Hi".encode("utf-16"), "", MARKDOWN),
    ],
)
def test_the_bytes_choose_the_format_before_the_name(
    tmp_path: Path, name: str, data: bytes, content_type: str, expected: Format
) -> None:
    path = tmp_path / "document"
    path.write_bytes(data)

    assert choose(named(path, name, content_type)) is expected


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.md", b"", "empty"),
        ("a.pdf", PNG, "unsupported_format"),
        ("a.txt", PNG, "unsupported_format"),
        ("a.docx", b"PK\x03\x04 cut off", "damaged"),
        ("a.pdf", bytes(range(256)) * 4, "damaged"),
        ("a.bin", bytes(range(256)) * 4, "unsupported_format"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "unsupported_format"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("a.zip", zip_of(notes=b"text"), "unsupported_format"),
    ],
)
def test_what_is_not_read_here_is_refused_with_a_reason(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    path = tmp_path / "document"
    path.write_bytes(data)

    with pytest.raises(DocumentRejected) as rejected:
        choose(named(path, name))

    assert rejected.value.reason == reason
