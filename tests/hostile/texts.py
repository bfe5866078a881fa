"""Texts, pages, letters and books that are valid and cruel."""

import base64
from collections.abc import Iterable

from tests.hostile import packed

FORGED = (
    'x\n{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Haylift","Dimensions":[[]],'
    '"Metrics":[{"Name":"documents_rejected"}]}]},"documents_rejected":1000000}\n'
    '{"level":"CRITICAL","message":"forged","audit":{"actor":"root"}}\r\n\x1b[2J\x1b]0;forged\x07'
)
"""A name or title that begins lines of its own: a metric record, an audit record, a terminal's commands."""

FORGED_XML = FORGED.replace("\x1b", "").replace("\x07", "").replace("&", "&amp;").replace("<", "&lt;")


def combining_marks() -> bytes:
    """One letter under 100,000 accents in the worst order for putting them in order."""
    return ("cats e" + "\u0301\u0323" * 50_000 + " purr").encode()


def lone_surrogates() -> bytes:
    """UTF-16 whose surrogates stand alone and in the wrong order."""
    return b"\xff\xfe" + "cats ".encode("utf-16-le") + b"\x00\xdc\x00\xd8" * 100 + "purr".encode("utf-16-le")


def backticks() -> bytes:
    """Openings of code of every length, none of which is closed."""
    return b" ".join(b"`" * n for n in range(1, 400))


def remote_html() -> bytes:
    """A page that asks for other machines and for files of this one."""
    addresses = ("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "//127.0.0.1:9/x")
    tags = "".join(
        f'<img src="{each}"><iframe src="{each}"></iframe><link rel=stylesheet href="{each}">'
        f'<object data="{each}"></object><script src="{each}"></script>'
        for each in addresses
    )
    return f"<html><base href='http://127.0.0.1:9/'>{tags}<p>Cats purr.".encode()


def epub(page: str, content: bytes | Iterable[bytes] = b"", *, package: str = "") -> bytes:
    """A book of one page; `page` is where its package says that it lies."""
    container = (
        '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
        'version="1.0"><rootfiles><rootfile full-path="package.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    plain = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><manifest>'
        f'<item id="a" href="{page}" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    prolog, mark, text = package.rpartition("]>")
    opf = (
        f"{prolog}{mark}<package xmlns='http://www.idpf.org/2007/opf'>{text}</package>" if package else plain
    )
    return packed.archive(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": container.encode(),
            "package.opf": opf.encode(),
            "page.xhtml": content or b"<html><body><p>Cats purr.</p></body></html>",
        }
    )


MAIL = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Cats\r\nMIME-Version: 1.0\r\n"


def nested_mail(depth: int) -> bytes:
    """Letters that forward letters."""
    return (MAIL + b"Content-Type: message/rfc822\r\n\r\n") * depth + MAIL + b"\r\nCats purr.\r\n"


def many_parts(count: int) -> bytes:
    """A letter of very many parts."""
    part = b"--x\r\nContent-Type: text/plain\r\n\r\ncats\r\n"
    return MAIL + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + part * count + b"--x--\r\n"


def with_attachment(size_bytes: int) -> bytes:
    """A letter with a large file that is no text."""
    head = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nCats purr.\r\n--x\r\n"
    kind = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    place = b'Content-Disposition: attachment; filename="../../x.exe"\r\n\r\n'
    return MAIL + head + kind + place + base64.encodebytes(bytes(size_bytes)) + b"--x--\r\n"


def many_headers(count: int) -> bytes:
    """A letter that is nearly all headers."""
    return MAIL + b"".join(b"X-%d: cats\r\n" % n for n in range(count)) + b"\r\nCats purr.\r\n"


def coded_subject() -> bytes:
    """A letter whose subject is coded words that begin lines of their own."""
    word = base64.b64encode(FORGED.encode()).decode()
    return MAIL.replace(b"Subject: Cats", f"Subject: =?utf-8?b?{word}?=".encode()) + b"\r\nCats purr.\r\n"
