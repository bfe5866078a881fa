"""English text to words, as Lucene's `EnglishAnalyzer` sees them before stemming.

Word boundaries follow UAX #29 in the form of Lucene's StandardTokenizer: CJK ideographs and hiragana
one by one, runs of katakana and of the scripts written without spaces, emoji as words. Golden tokens
from Lucene 9.12.1 are in tests/unit/index.
"""

import re
import unicodedata

_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""The 33 words of Lucene's `EnglishAnalyzer.ENGLISH_STOP_WORDS_SET`."""

MAX_WORD_CHARS = 255
"""StandardTokenizer cuts longer words into pieces of this length."""

_MIDDLES = {
    "M": ":\u00b7\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a",
    "P": ".\u2018\u2019\u2024\ufe52\uff07\uff0e",
    "Q": "'",
    "D": '"',
    "C": ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b",
    "X": "\u202f",
    "Z": "\u200d",
    "O": "\u200b",
}
_RANGES = (  # hexadecimal code points, checked against what Lucene makes a token of
    ("I", "2e80-2fdf 3005 3007 3021-3029 3038-303b 3041-3096 309d-309f 3400-4dbf 4e00-9fff f900-faff"),
    ("I", "20000-3ffff"),
    ("K", "3031-3035 309b-309c 30a0-30fa 30fc-30ff 31f0-31ff 32d0-32fe 3300-3357 ff66-ff9d"),
    ("L", "2c2-2c5 2d2-2d7 2de-2df 2ed 2ef-2ff 55b-55c 55e 5f3 24b6-24e9 a720-a721 a789-a78a ab5b"),
    ("L", "1f130-1f149 1f150-1f169 1f170-1f189"),
    ("N", "66b"),
    ("O", "3006"),
    ("E", "ff9e-ff9f"),
    ("F", "1f3fb-1f3ff"),
    ("R", "1f1e6-1f1ff"),
    ("J", "a9 ae 203c 2049 2122 2194-2199 21a9-21aa 231a-231b 2328 2388 23cf 23e9-23f3 23f8-23fa"),
    ("J", "25aa-25ab 25b6 25c0 25fb-25fe 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716"),
    ("J", "271d 2721 2728 2733-2734 2744 2747 274c 274e 2753-2755 2757 2763-2767 2795-2797 27a1 27b0"),
    ("J", "27bf 2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55 3030 303d 3297 3299 1f000-1f0ff 1f18e"),
    ("J", "1f191-1f19a 1f201-1f202 1f21a 1f22f 1f232-1f23a 1f300-1f3fa 1f400-1f53d 1f546-1f64f"),
    ("J", "1f680-1f6ff 1f7d5-1f7ff 1f90c-1f93a 1f93c-1f945 1f947-1faff"),
)
_COMPLEX = "e00-eff 1000-109f 1780-17ff 1950-19df 1a20-1aaf a9e0-a9ff aa60-aadf 11700-1173f"
_HEBREW = "5d0-5f2 fb1d-fb4f"
_CLASS_BY_CATEGORY = {"Nd": "N", "Nl": "L", "Pc": "X", "Mn": "E", "Me": "E", "Mc": "E", "Cf": "E"}


class _WordBreakClasses(dict[int, str]):
    """One letter per code point, its word-break class; filled as characters are met.

    L letter, H Hebrew, N digit, K katakana, I ideograph or hiragana, S script without spaces,
    E extends the character before it, Z joiner, X joins words, J emoji, F its modifier, R half a flag,
    O anything else; the rest is punctuation that belongs to a word when it stands between letters (M),
    between digits (C), or between either (P, Q; D between Hebrew letters).
    """

    def __missing__(self, code_point: int) -> str:
        found = _word_break_class(chr(code_point))
        self[code_point] = found
        return found


def _word_break_class(character: str) -> str:
    category = unicodedata.category(character)
    for name, members in _MIDDLES.items():
        if character in members:
            return name
    if category[0] in "LM" and _is_within(character, _COMPLEX):
        return "S"
    for name, ranges in _RANGES:
        if category != "Cn" and _is_within(character, ranges):
            return name
    if category[0] == "L":
        return "H" if _is_within(character, _HEBREW) else "L"
    return _CLASS_BY_CATEGORY.get(category, "O")


def _is_within(character: str, ranges: str) -> bool:
    bounds = (part.partition("-") for part in ranges.split())
    return any(int(first, 16) <= ord(character) <= int(last or first, 16) for first, _, last in bounds)


_CLASSES = _WordBreakClasses()
_E = "[EZF]*+"
_LETTERS = rf"[LH]{_E}(?:(?:[MPQ]{_E})?[LH]{_E}|(?<=H)D{_E}(?=H)|(?<=H)Q{_E})*+"
_DIGITS = rf"N{_E}(?:(?:[CPQ]{_E})?N{_E})*+"
_RUN = rf"(?:(?:{_LETTERS}|{_DIGITS})++|(?:K{_E})++)"
_WORD = re.compile(
    rf"(?:X{_E})*+{_RUN}(?:(?:X{_E})++{_RUN})*+(?:X{_E})*+|(?:S{_E})++|I{_E}|RR{_E}|[JF][EZF]*(?:(?<=Z)J[EZF]*)*"
)
_ASCII_LETTERS, _ASCII_DIGITS = r"[A-Za-z](?:[:.']?[A-Za-z])*+", r"[0-9](?:[.',;]?[0-9])*+"
_ASCII_RUN = rf"(?:{_ASCII_LETTERS}|{_ASCII_DIGITS})++"
_ASCII_WORD = re.compile(rf"_*+{_ASCII_RUN}(?:_++{_ASCII_RUN})*+_*+")
"""`_WORD` for characters that all have a class by themselves: no table, a tenth of the time."""

_POSSESSIVES = ("'s", "'S", "\u2019s", "\u2019S", "\uff07s", "\uff07S")


def words(text: str) -> list[str]:
    """The words of `text` in order: lower case, without possessive 's and stop words, not stemmed.

    >>> words("The indexer's 2 queues, as in foo_bar")
    ['indexer', '2', 'queues', 'foo_bar']
    """
    return [word for word in map(word_of, pieces(text)) if word]


def pieces(text: str) -> list[str]:
    """The stretches of `text` that are words, as they stand there."""
    if text.isascii():
        found = _ASCII_WORD.findall(text)
    else:
        classes = text.translate(_CLASSES)
        found = [text[slice(*match.span())] for match in _WORD.finditer(classes)]
    if max(map(len, found), default=0) <= MAX_WORD_CHARS:
        return found
    return [word[at : at + MAX_WORD_CHARS] for word in found for at in range(0, len(word), MAX_WORD_CHARS)]


def word_of(piece: str) -> str:
    """The word that a stretch stands for; empty for a stop word."""
    word = _lower(piece[:-2] if piece.endswith(_POSSESSIVES) else piece)
    return "" if word in STOP_WORDS else word


def _lower(word: str) -> str:
    """Lower case character by character, as Java does it: no final sigma, one character for one."""
    return word.lower() if word.isascii() else "".join(character.lower()[0] for character in word)
