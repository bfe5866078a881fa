"""Many seeds of one design, and what became of them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.lab.lab import Design, Lab
from tests.lab.scheduler import NOW

SHORT_TRACE = 40


@dataclass
class Campaign:
    """What many seeds ended with: why by seed, and how many faults of each kind they met."""

    seeds: int = 0
    wrong: dict[int, str] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    trace: str = ""

    def __str__(self) -> str:
        """The first wrong seed with the end of its trace, for whoever reads a red test."""
        if not self.wrong:
            return f"{self.seeds} seeds, 0 wrong"
        seed, reason = next(iter(self.wrong.items()))
        return (
            f"{self.seeds} seeds, {len(self.wrong)} wrong; seed {seed}: {reason}\n{self.trace}\n"
            f"All of it: python -m tests.lab --seed {seed} --trace"
        )


def run_seeds(
    design: Callable[[Lab], Design], seeds: Iterable[int], *, most_wrong: int | None = None
) -> Campaign:
    """Runs the seeds; stops early after `most_wrong` wrong ends."""
    campaign = Campaign()
    for seed in seeds:
        lab = Lab(seed, design)
        try:
            lab.run()
        except AssertionError as fault:
            campaign.wrong[seed] = str(fault).splitlines()[0]
            campaign.trace = campaign.trace or shown(lab, SHORT_TRACE)
        campaign.seeds += 1
        campaign.faults += lab.faults
        if most_wrong is not None and len(campaign.wrong) >= most_wrong:
            break
    return campaign


def shown(lab: Lab, last: int) -> str:
    """The last steps of a run."""
    trace = lab.scheduler.trace[-last:]
    return "\n".join(f"{at - NOW:10.3f} s  {process:<14} {what}" for at, process, what in trace)
