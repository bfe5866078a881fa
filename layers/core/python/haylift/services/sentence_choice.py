"""Chooses, by shared words alone, the few sentences that a cross-encoder should read."""

import math
from collections import Counter
from collections.abc import Sequence

from haylift.services.sentences import Sentence, terms

PASSAGE_WEIGHT = 0.5
"""Weight of the passage's own score (0 to 1) beside the share of shared words (0 to 1); not tuned."""

CONTEXT_WEIGHT = 0.3
"""A word found only in the title or heading counts so much of one found in the sentence; not tuned."""


def chosen(question: str, candidates: Sequence[Sentence], most: int) -> list[Sentence]:
    """The `most` sentences most likely to answer, likeliest first; ties keep the given order."""
    weights = _weights(question, candidates)

    def promise(sentence: Sentence) -> float:
        return _shared_ratio(sentence, weights) + PASSAGE_WEIGHT * sentence.hit.score

    return sorted(candidates, key=promise, reverse=True)[:most]


def overlap_ratio(question: str, sentence: Sentence, among: Sequence[Sentence]) -> float:
    """The share of the question's words that the sentence has, rare words counting more; 0 to 1."""
    return _shared_ratio(sentence, _weights(question, among))


def _weights(question: str, candidates: Sequence[Sentence]) -> dict[str, float]:
    """Inverse sentence frequency of the question's words among the candidates."""
    counts = Counter(term for sentence in candidates for term in terms(sentence.text))
    return {term: math.log(1 + (len(candidates) + 1) / (counts[term] + 1)) for term in terms(question)}


def _shared_ratio(sentence: Sentence, weights: dict[str, float]) -> float:
    total = sum(weights.values())
    if not total:
        return 0.0
    own = terms(sentence.text)
    context = terms(" ".join((sentence.hit.chunk.title, *sentence.hit.chunk.headings))) - own
    shared = sum(weights.get(term, 0.0) for term in sorted(own))
    around = sum(weights.get(term, 0.0) for term in sorted(context))
    return (shared + CONTEXT_WEIGHT * around) / total
