"""The benchmark's own arithmetic says of known numbers what is known of them."""

import random

import pytest

from benchmarks.ingestion.figures import Memory, memory_figures, rate_ratio, slope_kib


def test_the_ratio_is_that_of_the_median_round() -> None:
    assert rate_ratio([9.0, 18.0, 1.0], [10.0, 20.0, 4.0]) == 0.9


def test_rounds_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        rate_ratio([1.0, 2.0], [1.0])


def samples(slope_kib_per_document: float, warm_up_kib: int = 0) -> list[Memory]:
    """10,000 documents with some noise; what the first tenth fills is not a leak."""
    draw = random.Random(3)
    return [
        Memory(
            number,
            int(
                150_000
                + min(warm_up_kib, number * 100)
                + number * slope_kib_per_document
                + draw.gauss(0, 200)
            ),
        )
        for number in range(200, 10_001, 200)
    ]


def test_flat_memory_is_flat_whatever_its_caches_took_at_first() -> None:
    figures = memory_figures(samples(0.0, warm_up_kib=40_000))

    assert figures["is_reached"] is True
    assert abs(float(str(figures["slope_kib_per_document"]))) < 0.1


def test_a_leak_of_two_kibibytes_a_document_would_be_seen() -> None:
    assert memory_figures(samples(2.0))["is_reached"] is False


def test_one_sample_has_no_slope() -> None:
    assert slope_kib([Memory(1, 100)]) == 0.0
