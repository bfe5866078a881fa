"""Arabic, German and Japanese survive in every encoding that their writers use, in every kind of text."""

import codecs
import json
from base64 import b64encode

import pytest
from haylift.parsing.decoding import decode

from tests.unit.parsing.conftest import Reader

ARABIC = "مرحبا بكم في دليل الميناء. تكلفة المفتاح المفقود اثنا عشر يورو، ويفتح المكتب في السابعة صباحا."
GERMAN = "Grüße aus München: Ein verlorener Schlüssel kostet zwölf Euro, das Büro öffnet um sieben."
JAPANESE = (
    "港湾ハンドブックへようこそ。紛失した鍵は十二ユーロです。事務所は七時に開きます。カタカナも読めます。"
)

WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
LEGACY = {
    ARABIC: ("windows-1256",),
    GERMAN: ("iso-8859-1", "cp1252", "iso-8859-15"),
    JAPANESE: ("shift_jis", "euc_jp", "cp932"),
}
CASES = [(text, encoding) for text, legacy in LEGACY.items() for encoding in (*WIDE, *legacy)]
NAMES = [f"{encoding}-{('ar', 'de', 'ja')[list(LEGACY).index(text)]}" for text, encoding in CASES]


def lost(text: str, shown: str) -> set[str]:
    """Letters of the text that are not shown."""
    return set(text) - set(shown) - {" "}


@pytest.mark.parametrize(("text", "encoding"), CASES, ids=NAMES)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.txt", "{}"),
        ("a.md", "# Title\n\n{}\n"),
        ("a.html", "<!doctype html><html><body><p>{}</p></body></html>"),
        ("a.csv", "id;note\n1;{}\n2;{}\n"),
        ("a.json", '{{"id": 1, "note": "{}"}}'),
        ("a.jsonl", '{{"id": 1, "note": "{}"}}\n{{"id": 2, "note": "{}"}}\n'),
    ],
    ids=lambda value: value if value.startswith("a.") else "",
)
def test_letters_survive(read: Reader, name: str, form: str, text: str, encoding: str) -> None:
    written = form.format(text, text)

    found = read(name, written.encode(encoding))

    assert found.module == {"txt": "text", "md": "markdown"}.get(name[2:], name[2:])
    assert any(text in block.text for block in found.blocks)
    assert not found.texts[0].startswith("\ufeff")


@pytest.mark.parametrize(("text", "encoding"), CASES, ids=NAMES)
def test_a_mail_is_read_in_the_encoding_that_it_says(read: Reader, text: str, encoding: str) -> None:
    name = codecs.lookup(encoding).name
    head = f"From: a@example.com\nMIME-Version: 1.0\nContent-Type: text/plain; charset={name}\n"
    body = f"{head}Content-Transfer-Encoding: base64\n\n".encode() + b64encode(text.encode(encoding))

    assert read("a.eml", body).texts[1] == text


@pytest.mark.parametrize(
    ("text", "code_page", "charset"),
    [(GERMAN, "cp1252", 0), (ARABIC, "cp1256", 178), (JAPANESE, "cp932", 128)],
    ids=["de", "ar", "ja"],
)
def test_rich_text_is_read_by_its_fonts_code_page(
    read: Reader, text: str, code_page: str, charset: int
) -> None:
    letters = "".join(f"\\'{byte:02x}" for byte in text.encode(code_page))
    written = f"{{\\rtf1\\ansi\\ansicpg1252{{\\fonttbl{{\\f0\\fcharset{charset} Any;}}}}\\f0 {letters}\\par}}"

    assert read("a.rtf", written.encode()).texts == [text]


def test_json_with_escapes_is_the_same(read: Reader) -> None:
    assert read("a.json", json.dumps({"note": JAPANESE}).encode()).texts == [f"note: {JAPANESE}"]


def test_the_wrong_encoding_would_be_seen() -> None:
    assert lost(GERMAN, decode(GERMAN.encode("cp1252"))) == set()
    assert lost(GERMAN, GERMAN.encode("cp1252").decode("cp1256")) >= set("öß")
