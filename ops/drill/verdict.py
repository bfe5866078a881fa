"""What came of a drill: times of each alarm, and whether they are what was promised."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ops.drill.drill import Drill, any_match


@dataclass(frozen=True, kw_only=True)
class AlarmTimes:
    """One alarm: seconds from the fault to the ringing, and from the repair to OK; None for never.

    Without a `clear_limit_s` the fault was left in place.
    """

    alarm: str
    detected_s: float | None
    cleared_s: float | None
    detect_limit_s: float
    clear_limit_s: float | None

    @property
    def is_kept(self) -> bool:
        """Whether both came within their limits."""
        if self.detected_s is None or self.detected_s > self.detect_limit_s:
            return False
        if self.clear_limit_s is None:
            return True
        return self.cleared_s is not None and self.cleared_s <= self.clear_limit_s


@dataclass(frozen=True, kw_only=True)
class Result:
    """One drill.

    Args:
        times: of the alarms that had to ring.
        others: declared alarms that rang as well.
        undeclared: alarms that rang and that nobody had declared.
        status: the cause that `ops status` gave first; empty when it was not asked.
        fault: why the drill could not go on; empty when it did.
        requests: outcomes of the drill's own traffic.
    """

    drill: Drill
    times: tuple[AlarmTimes, ...] = ()
    others: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    status: str = ""
    is_named: bool = True
    fault: str = ""
    took_s: float = 0.0
    requests: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not as it should be, one phrase each; empty for a good drill."""
        phrases = [self.fault] if self.fault else []
        phrases += [f"{times.alarm} did not keep its times" for times in self.times if not times.is_kept]
        rang = [times.alarm for times in self.times if times.detected_s is not None]
        phrases += [f"{name} did not ring" for name in unmet(self.drill.rings, rang)]
        phrases += [f"{name} rang unexpectedly" for name in self.undeclared]
        if not self.is_named:
            phrases.append(f"status gave {self.status or 'no cause'}, not {' or '.join(self.drill.causes)}")
        return tuple(phrases)

    @property
    def is_good(self) -> bool:
        """Whether everything was as promised."""
        return not self.faults


def unmet(patterns: Iterable[str], alarms: Iterable[str]) -> tuple[str, ...]:
    """The patterns that none of the alarms fulfils."""
    found = tuple(alarms)
    return tuple(pattern for pattern in patterns if not any_match((pattern,), found))


def never_rang(alarms: Iterable[str], results: Iterable[Result]) -> tuple[str, ...]:
    """The alarms that no drill made ring: each needs one."""
    rang = {name for result in results for name in rang_in(result)}
    return tuple(sorted(set(alarms) - rang))


def rang_in(result: Result) -> tuple[str, ...]:
    """All alarms that rang in one drill."""
    return (*(times.alarm for times in result.times if times.detected_s is not None), *result.others)
