"""What a drill is: one real fault, and everything that must come of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ops.deployment import LOCAL_STAGE
from ops.drill.faults import Fault
from ops.drill.traffic import Kind, Rate

SEARCHES = Rate(kind=Kind.SEARCH, per_minute=30)
"""Two seeded users of the tenant may do this within the limit of 60 a minute each."""

NOT_ON_AWS = "there is no process to stop safely on AWS"
NO_USERS = "it needs users whose searches may fail: run it on the local system"
EVERYWHERE = frozenset({LOCAL_STAGE, "dev", "prod"})
LOCAL_AND_DEV = frozenset({LOCAL_STAGE, "dev"})
NAMED_WITHIN_MIN = 3.0
"""Within so many minutes `ops status` names the cause, also of what rings nowhere."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One real fault and what must come of it.

    Args:
        rings: alarms that must ring, with the minutes of the alarms' clock within which they do;
            `dead-letters` stands for any part of it, `dead-letters/intake-dead` for this one.
        may_ring: what else may ring, because the fault may be felt there too.
        causes: names of which `ops status` must give one first.
        side_causes: what else it may name, rightly, while this drill is under way.
        clear_min: minutes within which all are OK again after the repair.
        settle_min: so many quiet minutes prove that it is over.
        parts: what it breaks; two drills of one part do not run at the same time.
        needs: what must be whole while its alarms clear.
        can_keep: whether the fault may stay after the command has ended.
        refusal: why it runs on no stage but those of `stages`.
    """

    name: str
    breaks: str
    felt: str
    fault: Callable[[], Fault]
    traffic: tuple[Rate, ...]
    rings: Mapping[str, float]
    may_ring: tuple[str, ...] = ()
    causes: tuple[str, ...]
    side_causes: tuple[str, ...] = ()
    clear_min: float
    settle_min: float = 1.0
    parts: frozenset[str]
    needs: frozenset[str] = frozenset()
    can_keep: bool = False
    stages: frozenset[str] = field(default=frozenset({LOCAL_STAGE}))
    refusal: str = NOT_ON_AWS

    @property
    def detect_min(self) -> float:
        """Within so many minutes everything rings, and status says why."""
        return max((*self.rings.values(), NAMED_WITHIN_MIN))

    @property
    def declared(self) -> tuple[str, ...]:
        """All alarms that may ring while it runs."""
        return (*self.rings, *self.may_ring)

    def disturbs(self, other: "Drill", *, is_broken: bool = True) -> bool:
        """Whether it must wait for another one, which is broken now or clears.

        One's alarms could be taken for the other's, or one's fault hold up what the other needs.
        """
        alarms = any_match(self.rings, other.declared) or any_match(other.rings, self.declared)
        return alarms or bool(self.parts & (other.parts if is_broken else other.needs))


def matches(pattern: str, alarm: str) -> bool:
    """Whether an alarm is meant.

    >>> matches("dead-letters", "dead-letters/intake"), matches("dead-letters/intake", "dead-letters/bulk")
    (True, False)
    """
    return alarm == pattern or alarm.startswith(f"{pattern}/")


def any_match(patterns: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two sets of alarms have one in common.

    >>> any_match(["search-slow/search"], ["api-errors", "search-slow"]), any_match(["a/b"], ["a/c"])
    (True, False)
    """
    known = tuple(others)
    return any(matches(one, other) or matches(other, one) for one in patterns for other in known)
