"""Bytes to text in the encoding that they are in."""

import codecs
import unicodedata
from collections import Counter
from collections.abc import Iterator

from haylift.domain.errors import DocumentRejected

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16."""

CANDIDATES = [
    "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "koi8_r",
]  # fmt: skip
"""Encodings of the web's pages (WHATWG); without such a list rare ones win on short texts."""

MAX_CONTROL_RATIO = 0.02
"""Share of control characters above which bytes are not text."""

MIN_WIDE_CHARS = 16
MIN_SCRIPT_RATIO = 0.8
"""Share of one script and ASCII in a text; bytes that are no text hit every script."""

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0b\x0c\x1b") + b"\x7f"


def decode(data: bytes, declared: str = "") -> str:
    """The text of the bytes: by byte order mark, as UTF-8, by what is declared, by what is likely.

    Raises:
        DocumentRejected: `damaged` when it is no text in any encoding.
    """
    for encoding in _encodings(data, declared):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    raise DocumentRejected("The text is in no known encoding.", reason="damaged")


def _encodings(data: bytes, declared: str) -> Iterator[str]:
    """The likeliest first; each is found only when those before did not fit."""
    marked = _marked_or_wide(data)
    if marked:
        yield marked
    yield "utf-8"
    if declared:
        yield declared
    yield _likely(data)


def is_probably_text(head: bytes) -> bool:
    """Says whether the beginning of a file reads like text in some encoding."""
    if _marked_or_wide(head):
        return True
    controls = len(head) - len(head.translate(None, _CONTROL))
    return b"\0" not in head and controls <= len(head) * MAX_CONTROL_RATIO


def decode_head(head: bytes) -> str:
    """A file's beginning, good enough to see its syntax: letters beyond ASCII may be wrong ones."""
    marked = _marked_or_wide(head)
    if marked:
        return head.decode(marked, "ignore").removeprefix("\ufeff")
    try:
        # The last character may be torn.
        return head[:-3].decode() + head[-3:].decode(errors="ignore")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _marked_or_wide(data: bytes) -> str:
    """An encoding with a byte order mark, or UTF-16 without one."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return encoding
    sample = data[:4_096]
    half = max(1, len(sample) // 2)
    # Latin text and spaces leave one byte of many pairs 0; the other byte almost never is.
    if sample[1::2].count(0) > half * 0.3 and sample[0::2].count(0) < half * 0.02:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.3 and sample[1::2].count(0) < half * 0.02:
        return "utf-16-be"
    # Every other script shows itself by bytes that no text of single bytes has.
    return _wide_script(sample) if len(sample) > len(sample.translate(None, _CONTROL)) else ""


def _wide_script(sample: bytes) -> str:
    """UTF-16 without a byte order mark in a script that leaves no zeros; empty when it is none."""
    best = (MIN_SCRIPT_RATIO, "")
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            # The last character may be torn.
            text = sample[: len(sample) // 2 * 2 - 2].decode(encoding)
        except UnicodeDecodeError:
            continue
        odd = sum(unicodedata.category(letter)[0] == "C" and letter not in "\t\r\n" for letter in text)
        if len(text) >= MIN_WIDE_CHARS and not odd:
            scripts = Counter(
                "east" if "\u3000" <= letter < "\uac00" else ord(letter) >> 8 for letter in text
            )
            # ASCII stands in every script.
            most = max(
                count + scripts[0] for script, count in scripts.items() if script != 0 or len(scripts) == 1
            )
            best = max(best, (most / len(text), encoding))
    return best[1]


def _likely(data: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415  # 60 ms that UTF-8 files do not need

    best = from_bytes(data, cp_isolation=CANDIDATES).best()
    return best.encoding if best else "cp1252"
