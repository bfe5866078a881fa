"""No interleaving ends with an index that differs from the bucket; known-wrong designs do.

`HAYLIFT_LAB=full` runs 10,000 seeds instead of 500 (about 5 minutes).
"""

import os
from collections.abc import Callable, Iterable

import pytest

from tests.lab.campaign import Campaign, run_seeds
from tests.lab.designs import DESIGNS
from tests.lab.lab import Design, Lab

IS_FULL = os.environ.get("HAYLIFT_LAB") == "full"
BLOCK = 100
BLOCKS = range(0, 10_000 if IS_FULL else 500, BLOCK)
KINDS = {
    "answer lost",
    "duplicate",
    "killed",
    "not acknowledged",
    "refused",
    "stalled",
}


def no_seed_ends_wrong(design: Callable[[Lab], Design], seeds: Iterable[int]) -> Campaign:
    campaign = run_seeds(design, seeds, most_wrong=3)
    assert not campaign.wrong, str(campaign)
    return campaign


@pytest.mark.parametrize("first", BLOCKS)
def test_no_interleaving_ends_with_an_index_that_differs_from_the_bucket(first: int) -> None:
    campaign = no_seed_ends_wrong(DESIGNS["ledger"], range(first, first + BLOCK))

    # A lab in which nothing goes wrong shows nothing.
    assert campaign.faults.keys() >= KINDS


@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "ledger"])
def test_a_known_wrong_design_fails_the_same_check(name: str) -> None:
    with pytest.raises(AssertionError, match=r"index|bucket|reader|hidden"):
        no_seed_ends_wrong(DESIGNS[name], range(BLOCK))


def test_a_seed_is_the_same_run_each_time() -> None:
    traces = []
    for _ in range(2):
        lab = Lab(11, DESIGNS["ledger"])
        lab.run()
        traces.append(lab.scheduler.trace)

    assert traces[0] == traces[1]
    assert len(traces[0]) > 100
