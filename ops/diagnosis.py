"""Why the system is as it is: one rule for each cause, from the evidence of a snapshot.

Rules do not know each other. Each gives a finding or None; `RULES` is the order of causes with the same
severity, the one that explains the others first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ops.state import Snapshot

OPS = "python -m ops"


class Severity(IntEnum):
    """What users feel: nothing yet, worse answers or waiting, no answers."""

    NOTICE = 1
    DEGRADED = 2
    OUTAGE = 3


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A likely cause.

    Args:
        name: stable, kebab-case.
        felt: what users feel, a clause without a full stop.
        because: the one number that says most.
        evidence: all numbers that speak for it.
        runbook: name of the runbook.
        commands: what to run next; none of them changes anything, unless a remark says so.
    """

    name: str
    severity: Severity
    felt: str
    because: str
    runbook: str
    evidence: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The first line of the screen."""
        return f"{self.felt}: {self.because}; runbook docs/runbooks/{self.runbook}.md"


type Rule = Callable[[Snapshot], Cause | None]


def diagnose(snapshot: Snapshot, rules: Sequence[Rule]) -> tuple[Cause, ...]:
    """The causes that have evidence, the likeliest and worst first."""
    found = [cause for rule in rules if (cause := rule(snapshot)) is not None]
    return tuple(sorted(found, key=lambda cause: -cause.severity))


def window(snapshot: Snapshot) -> str:
    """The window in words, for example `in the last 5 minutes`."""
    return f"in the last {snapshot.minutes:g} minutes"


def of(part: float, whole: float) -> str:
    """A share in words.

    >>> of(14, 15)
    '14 of 15'
    """
    return f"{part:.0f} of {whole:.0f}"


def listed(counts: Mapping[str, float]) -> str:
    """Counts by name, without the zeros.

    >>> listed({"timeout": 3, "ok": 12, "busy": 0})
    'timeout 3, ok 12'
    """
    return ", ".join(f"{name} {count:.0f}" for name, count in counts.items() if count)
