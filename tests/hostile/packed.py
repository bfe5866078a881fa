"""Archives that unpack to more than they look, or to somewhere else."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

import docx

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BODY = f'<w:document xmlns:w="{W}"><w:body>'
END = "</w:body></w:document>"
PARAGRAPH = "<w:p><w:r><w:t>Cats purr.</w:t></w:r></w:p>"
SHORT = "<w:p><w:r><w:t>a</w:t></w:r></w:p>"
MIB = 1_048_576
EPOCH = (1980, 1, 1, 0, 0, 0)


def archive(parts: Mapping[str, bytes | Iterable[bytes]]) -> bytes:
    """A zip archive, the same bytes each time; a part can be given in pieces."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with packed.open(entry, "w", force_zip64=False) as part:
                for piece in [data] if isinstance(data, bytes) else data:
                    part.write(piece)
    return file.getvalue()


def word(**changed: bytes | Iterable[bytes]) -> bytes:
    """A Word document with parts replaced or added; `__` in a name is `/`, `_xml` its end `.xml`."""
    empty = io.BytesIO()
    docx.Document().save(empty)
    with zipfile.ZipFile(empty) as old:
        parts: dict[str, bytes | Iterable[bytes]] = {name: old.read(name) for name in old.namelist()}
    named = {name.replace("__", "/").replace("_xml", ".xml"): data for name, data in changed.items()}
    return archive(parts | named)


def word_body(xml: str) -> bytes:
    """A Word document with this body."""
    return word(word__document_xml=(BODY + xml + END).encode())


def word_pieces(piece: str, count: int) -> bytes:
    """A Word document that repeats a piece, made without holding it."""
    block = piece.encode() * 1_000
    return word(word__document_xml=[BODY.encode(), *[block] * (count // 1_000), END.encode()])


def zeros(mib: int) -> list[bytes]:
    """So many MiB of zeros, in pieces."""
    return [bytes(MIB)] * mib


def with_lying_sizes(packed: bytes) -> bytes:
    """The same archive, whose directory says that every part has one byte."""
    end = packed.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", packed, end + 16)
    lying = bytearray(packed)
    while lying[start : start + 4] == b"PK\x01\x02":
        struct.pack_into("<I", lying, start + 24, 1)
        names = struct.unpack_from("<HHH", lying, start + 28)
        start += 46 + sum(names)
    return bytes(lying)


def overlapping(count: int, mib: int) -> bytes:
    """An archive whose entries all share one compressed body (the idea of D. Fifield's bomb, 2019)."""
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = bytes(mib * MIB)
    body = squeezed.compress(plain) + squeezed.flush()
    crc = zlib.crc32(plain)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(body), len(plain), 1, 0)
    data = local + b"a" + body
    directory = b""
    for number in range(count):
        name = b"word/document.xml" if number == 0 else b"word/%d.xml" % number
        directory += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, crc, len(body), len(plain),
            len(name), 0, 0, 0, 0, 0, 0,
        ) + name  # fmt: skip
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(data), 0)
    return data + directory + end


def nested(levels: int, inner: bytes) -> bytes:
    """An archive in an archive in an archive."""
    for level in range(levels):
        inner = archive({f"level-{level}.zip": inner})
    return inner


def with_links(name: str, target: str, others: Mapping[str, bytes]) -> bytes:
    """An archive one of whose entries is a symbolic link."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for each, data in others.items():
            packed.writestr(zipfile.ZipInfo(each, EPOCH), data)
        link = zipfile.ZipInfo(name, EPOCH)
        link.create_system, link.external_attr = 3, 0o120777 << 16
        packed.writestr(link, target)
    return file.getvalue()


def twice(name: str, first: bytes, second: bytes) -> bytes:
    """A Word document that has one part two times."""
    file = io.BytesIO(word())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as packed:
        for data in (first, second):
            entry = zipfile.ZipInfo(f"{name}?", EPOCH)
            packed.writestr(entry, data)
    return file.getvalue().replace(f"{name}?".encode(), name.encode() + b" ")
