"""PDF files written object by object, most of them wrong."""

import zlib
from collections.abc import Sequence

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
TEXT = b"BT /F1 12 Tf 72 700 Td (Cats purr.) Tj ET"


def pdf(objects: Sequence[bytes], *, trailer: bytes = b"", xref_count: int | None = None) -> bytes:
    """A PDF of numbered objects, the first of them the catalog."""
    data = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(data)
    count = len(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (xref_count or count)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, start)
    return bytes(data)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries) + data + b"\nendstream"


def page(extra: bytes = b"", parent: int = 2, contents: int = 4) -> bytes:
    """A page with one content stream."""
    return (
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
        b"/Resources << /Font << /F1 5 0 R >> %s >> >>" % (parent, contents, extra)
    )


def one_page(content: bytes, *more: bytes, extra: bytes = b"", trailer: bytes = b"") -> bytes:
    """A PDF of one page; `content` is its whole content object."""
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf(
        [b"<< /Type /Catalog /Pages 2 0 R >>", pages, page(extra), content, FONT, *more], trailer=trailer
    )


def flate(data: bytes, times: int = 1) -> bytes:
    """A compressed stream, compressed again and again."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, b"/Filter [" + b"/FlateDecode " * times + b"]")


def page_references(count: int) -> bytes:
    """One page, referred to again and again."""
    kids = b"3 0 R " * count
    pages = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page(), stream(TEXT), FONT])


def page_tree(depth: int, *, is_loop: bool = False) -> bytes:
    """Page nodes in page nodes; as a loop the last one holds the first."""
    first = 6
    nodes = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 /Parent %d 0 R >>"
        % ((first + number + 1) if number < depth - 1 else (2 if is_loop else 3), first + number - 1)
        for number in range(depth)
    ]
    pages = b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>"
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page(), stream(TEXT), FONT, *nodes])


def deep_objects(depth: int) -> bytes:
    """A page one of whose entries is nested arrays."""
    return one_page(stream(TEXT), extra=b"/Deep " + b"[" * depth + b"]" * depth)


def object_stream(mib: int) -> bytes:
    """A compressed object stream that unpacks to nothing but spaces."""
    packed = zlib.compress(b"6 0 " + b" " * (mib * 1_048_576), 9)
    bomb = stream(packed, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
    return one_page(stream(TEXT), bomb)


def xref_stream(mib: int) -> bytes:
    """A cross-reference stream that unpacks to very many entries."""
    packed = zlib.compress(bytes(mib * 1_048_576), 9)
    entries = b"/Type /XRef /Size 99999999 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode"
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    return head + b"9 0 obj\n" + stream(packed, entries) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def wide_cmap() -> bytes:
    """A font whose map of characters covers four thousand million codes."""
    cmap = (
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00000000> <FFFFFFFF> "
        b"endcodespacerange 1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange endcmap end"
    )
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 7 0 R >>"
    extra = b"/ExtGState << >> /XFont << >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf(
        [b"<< /Type /Catalog /Pages 2 0 R >>", pages, page(extra), stream(TEXT), font, FONT, stream(cmap)]
    )


def form_loop() -> bytes:
    """A drawing that draws itself."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>"
    form = stream(b"/X Do", entries)
    return one_page(stream(b"/X Do " + TEXT), form, extra=b"/XObject << /X 6 0 R >>")


def titled(title: str) -> bytes:
    """A page under a title that its file chose."""
    coded = "feff" + title.encode("utf-16-be", "surrogatepass").hex()
    return one_page(stream(TEXT), b"<< /Title <%s> >>" % coded.encode(), trailer=b"/Info 6 0 R")


def with_broken_page() -> bytes:
    """Two good pages around one whose content is no content."""
    pages = b"<< /Type /Pages /Kids [3 0 R 6 0 R 8 0 R] /Count 3 >>"
    broken = stream(b"this is no flate data", b"/Filter /NoSuchFilter")
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>", pages, page(), stream(TEXT), FONT,
            page(contents=7), broken, page(),
        ]
    )  # fmt: skip
