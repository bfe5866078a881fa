"""Text to index terms, as Lucene's `EnglishAnalyzer` makes them."""

from functools import lru_cache
from threading import local

import Stemmer

from haylift.domain.english import pieces, word_of

_VOWELS = "aeiou"


class _Stemmers(local):
    """PyStemmer's objects must not be shared between threads."""

    def __init__(self) -> None:
        self.porter = Stemmer.Stemmer("porter", 0)


_stemmers = _Stemmers()


def terms(text: str) -> list[str]:
    """The terms of `text` in order.

    >>> terms("Connecting the pipelines possibly")
    ['connect', 'pipelin', 'possibl']
    """
    return [term for term in map(_term, pieces(text)) if term]


@lru_cache(maxsize=50_000)
def _term(piece: str) -> str:
    return stem(word_of(piece))


def stem(word: str) -> str:
    """Porter's stem in Lucene's form.

    Lucene leaves words of one and two letters alone and has two endings of Porter's own program
    ("bli" and "logi" in step 2) that Snowball's `porter` lacks: 142 of 41,424 words of the test
    collections differ without this, none with it.
    """
    if len(word) <= 2:
        return word
    stemmed: str = _stemmers.porter.stemWord(word)
    if stemmed.endswith("bli") and _has_measure(stemmed[:-3]):
        return str(_stemmers.porter.stemWord(stemmed[:-1] + "e"))
    if stemmed.endswith("logi") and _has_measure(stemmed[:-4]):
        return stemmed[:-1]
    return stemmed


def _has_measure(text: str) -> bool:
    """True when a vowel is followed by a consonant somewhere (Porter's m > 0)."""
    seen_vowel = False
    is_vowel = False
    for position, letter in enumerate(text):
        is_vowel = letter in _VOWELS or (letter == "y" and position > 0 and not is_vowel)
        if seen_vowel and not is_vowel:
            return True
        seen_vowel = seen_vowel or is_vowel
    return False
