"""The arithmetic of the benchmark: ratios of one run, and whether memory is flat."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_RATE_RATIO = 0.9
"""Of the rate of a plain loop."""

MOST_EVENT_MS = 0.8
"""Of the processor outside the model, for an event of one object of plain text."""

MOST_BATCH_MS = 0.35
"""The same for a document of a batch."""

MOST_KIB_PER_DOCUMENT = 1.0
"""10 MiB in 10,000 documents: less than a leak of one small document in ten."""

WARM_UP_SHARE = 0.2
"""Of the documents, before which caches fill and SQLite's pages are read."""


def rate_ratio(plain_s: Sequence[float], whole_s: Sequence[float]) -> float:
    """The rate of the whole over the rate of the plain loop, the median of the rounds' own ratios.

    Each round compares neighbours in time, so that what else the machine does touches both.

    >>> rate_ratio([9.0, 18.0, 1.0], [10.0, 20.0, 4.0])
    0.9
    """
    return statistics.median(plain / whole for plain, whole in zip(plain_s, whole_s, strict=True))


@dataclass(frozen=True)
class Memory:
    """Resident memory after so many documents."""

    documents: int
    resident_kib: int


def slope_kib(samples: Sequence[Memory]) -> float:
    """Growth for each document, by least squares over all samples; 0 for fewer than two.

    >>> slope_kib([Memory(0, 100), Memory(10, 105), Memory(20, 110)])
    0.5
    """
    if len(samples) < 2:
        return 0.0
    documents = [float(sample.documents) for sample in samples]
    resident = [float(sample.resident_kib) for sample in samples]
    return statistics.linear_regression(documents, resident).slope


def after_warm_up(samples: Sequence[Memory]) -> list[Memory]:
    """The samples from `WARM_UP_SHARE` of the documents on."""
    last = max((sample.documents for sample in samples), default=0)
    return [sample for sample in samples if sample.documents >= last * WARM_UP_SHARE]


def memory_figures(samples: Sequence[Memory]) -> dict[str, object]:
    """What is reported of memory."""
    warm = after_warm_up(samples)
    slope = slope_kib(warm)
    return {
        "documents": warm[-1].documents,
        "warm_documents": warm[0].documents,
        "warm_mib": round(warm[0].resident_kib / 1_024, 1),
        "end_mib": round(warm[-1].resident_kib / 1_024, 1),
        "slope_kib_per_document": round(slope, 3),
        "most_kib_per_document": MOST_KIB_PER_DOCUMENT,
        "is_reached": slope <= MOST_KIB_PER_DOCUMENT,
    }
