"""Made-up chunks in any number: words as often as in English, vectors of any length."""

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt

import numpy as np
from haylift.domain.chunks import Chunk, EmbeddedChunk, Vector

VOCABULARY = 30_000
WORDS_OF_A_CHUNK = 60
CHUNKS_OF_A_DOCUMENT = 10
ZIPF_EXPONENT = 1.07
"""English text; see Piantadosi, "Zipf's word frequency law in natural language" (2014)."""

QUERY_WORDS = 4
FREQUENT_WORDS = 200
"""The most frequent ones are what a question is not about."""

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True)
class Corpus:
    """Chunks of one tenant, the same in every process.

    Args:
        dimensions: of the vectors.
        seed: of the words and vectors.
    """

    dimensions: int = 384
    seed: int = 7
    _words: list[str] = field(default_factory=lambda: _vocabulary(_draw(11)))
    _weights: list[float] = field(
        default_factory=lambda: list(
            accumulate(1 / (rank + 1) ** ZIPF_EXPONENT for rank in range(VOCABULARY))
        )
    )

    def chunks(self, count: int) -> Iterator[EmbeddedChunk]:
        """The first `count` chunks."""
        draw = _draw(self.seed)
        vectors = np.random.default_rng(self.seed)
        for number in range(count):
            document = f"d{number // CHUNKS_OF_A_DOCUMENT}"
            text = " ".join(draw.choices(self._words, cum_weights=self._weights, k=WORDS_OF_A_CHUNK))
            chunk = Chunk(
                chunk_id=f"{document}-{number % CHUNKS_OF_A_DOCUMENT}",
                document_id=document,
                key=f"documents/acme/{document}.md",
                revision=1,
                ordinal=number % CHUNKS_OF_A_DOCUMENT,
                title="",
                text=text,
            )
            yield EmbeddedChunk(chunk=chunk, vector=_unit(vectors, self.dimensions))

    def questions(self, count: int) -> list[tuple[str, Vector]]:
        """Words and a vector each; words by their frequency, without the most frequent ones."""
        draw = _draw(self.seed + 1)
        vectors = np.random.default_rng(self.seed + 1)
        rare = self._words[FREQUENT_WORDS:]
        weights = [weight - self._weights[FREQUENT_WORDS - 1] for weight in self._weights[FREQUENT_WORDS:]]
        return [
            (
                " ".join(draw.choices(rare, cum_weights=weights, k=QUERY_WORDS)),
                _unit(vectors, self.dimensions),
            )
            for _ in range(count)
        ]


def _draw(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # no secret


def _vocabulary(draw: random.Random) -> list[str]:
    """Different words of two to four syllables."""
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(draw.choices(SYLLABLES, k=draw.randint(2, 4)))] = None
    return list(found)


def _unit(draw: np.random.Generator, dimensions: int) -> Vector:
    values = draw.standard_normal(dimensions, dtype=np.float32)
    return array("f", (values / sqrt(float(values @ values))).tobytes())
