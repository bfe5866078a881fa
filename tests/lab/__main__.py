"""`python -m tests.lab`: runs seeds; `--seed N --trace` shows one of them step by step."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence

from tests.lab.campaign import run_seeds, shown
from tests.lab.designs import DESIGNS
from tests.lab.lab import Lab


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 when a seed ended wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--seeds", type=int, default=500, help="how many (500)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--design", choices=DESIGNS, default="ledger")
    parser.add_argument("--trace", action="store_true", help="print every step of --seed")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    design = DESIGNS[options.design]
    if options.trace and options.seed is not None:
        return trace(Lab(options.seed, design))
    first, count = (options.first, options.seeds) if options.seed is None else (options.seed, 1)
    started = time.monotonic()
    campaign = run_seeds(design, range(first, first + count))
    print(f"{options.design}: {campaign}")
    print("wrong seeds:", *list(campaign.wrong)[:20])
    print(", ".join(f"{kind} {count}" for kind, count in campaign.faults.most_common()))
    print(f"{time.monotonic() - started:.1f} s")
    return 1 if campaign.wrong else 0


def trace(lab: Lab) -> int:
    """Prints every step of one run, and how it ended."""
    verdict = "as the bucket says"
    try:
        lab.run()
    except AssertionError as fault:
        verdict = f"WRONG: {fault}"
    print(shown(lab, len(lab.scheduler.trace)))
    print(f"seed {lab.seed}: {verdict}; {dict(lab.faults)}; {lab.weather}")
    return 1 if verdict.startswith("WRONG") else 0


if __name__ == "__main__":
    sys.exit(main())
