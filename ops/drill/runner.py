"""One drill, from the quiet before to the quiet after."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError
from haylift.domain.errors import HayliftError

from ops.drill.drill import Drill, any_match
from ops.drill.faults import Fault, Known
from ops.drill.ground import Ground
from ops.drill.memory import Memory
from ops.drill.traffic import Kind, Traffic, Users
from ops.drill.verdict import AlarmTimes, Result
from ops.drill.watch import OK, RINGING, Watch
from ops.faults import OpsFault

SLACK_S = 15.0
"""Beside the minutes of a limit: the emulator's clock, our looks at it, the end of a request."""

QUIET_WITHIN_MIN = 6.0
"""A system that has just come up has had no heartbeat yet, and a drill before may have gone wrong."""

CALM_KINDS = frozenset({Kind.SEARCH, Kind.QUESTION, Kind.LOGIN, Kind.TOUR})
"""Goes on after the repair: users are what proves it."""

ASK_STATUS_EVERY_S = 2.0

type Causes = tuple[str, ...]


@dataclass
class Runner:
    """Runs drills on one ground; several may run at a time, each in a thread.

    Args:
        status: names the causes that `ops status` gives now, the first one first.
        others: the drills that were under way beside this one: what they declare is theirs.
        echoes: drills that are over, which status still sees when it looks back.
        on_repaired: is told when the fault is gone, while the alarms still ring.
    """

    ground: Ground
    watch: Watch
    status: Callable[[], Causes]
    memory: Memory
    users: Users
    others: Callable[[Drill], Iterable[Drill]] = lambda _drill: ()
    echoes: Callable[[], Iterable[Drill]] = lambda: ()
    on_repaired: Callable[[Drill], None] = lambda _drill: None
    now: Callable[[], float] = field(default=time.monotonic)
    slack_s: float = SLACK_S
    ask_status_every_s: float = ASK_STATUS_EVERY_S

    def run(self, drill: Drill, *, is_kept: bool = False) -> Result:
        """Breaks, waits, asks status, repairs, waits. The repair is done whatever happens before.

        Args:
            is_kept: leaves the fault in place; then nothing is expected to clear.
        """
        began = self.now()
        try:
            self._require_quiet(drill)
            result = _Attempt(self, drill).made(is_kept=is_kept)
        except (OpsFault, HayliftError) as fault:
            result = Result(drill=drill, fault=f"{fault.code}: {fault.detail}")
        except (ClientError, BotoCoreError, OSError) as fault:
            result = Result(drill=drill, fault=f"{type(fault).__name__}: {fault}")
        self.on_repaired(drill)
        result = replace(result, took_s=self.now() - began)
        self.ground.say(drill.name, "good" if result.is_good else f"NOT good: {'; '.join(result.faults)}")
        return result

    def end(self, drill: Drill, known: Known) -> Result:
        """Repairs a fault that was kept, and waits for the quiet."""
        return _Attempt(self, drill).cleared(known)

    def _require_quiet(self, drill: Drill) -> None:
        def is_quiet() -> bool:
            return not self._disturbing(drill)

        if not is_quiet():
            self.ground.say(drill.name, f"waits for quiet: {', '.join(self._disturbing(drill))}")
        self.watch.wait_for(is_quiet, QUIET_WITHIN_MIN * self.ground.minute_s)
        if ringing := self._disturbing(drill):
            raise OpsFault("alarms_ring", f"Before the drill began there rang {', '.join(ringing)}.")

    def _disturbing(self, drill: Drill) -> list[str]:
        """What rings and is not another drill's; and what rings already that this one is to make ring."""
        declared = [alarm for other in self.others(drill) for alarm in other.declared]
        return [
            name
            for name in sorted(self.watch.ringing())
            if any_match(drill.rings, (name,)) or not any_match(declared, (name,))
        ]


class _Attempt:
    """One run of one drill."""

    def __init__(self, runner: Runner, drill: Drill) -> None:
        self._runner, self._drill = runner, drill
        self._ground, self._watch = runner.ground, runner.watch
        self._fault: Fault = drill.fault()
        self._traffic = [Traffic(self._ground, runner.users, rate) for rate in drill.traffic]
        self._storm = ExitStack()
        self._others: list[Drill] = []
        self._named = ""
        self._is_named = False

    def made(self, *, is_kept: bool) -> Result:
        """What came of it."""
        with ExitStack() as calm:
            known = self._fault.learn(self._ground)
            self._runner.memory.add(self._drill.name, known)
            self._ground.keep_record("drill.start", self._drill.name)
            # From the first moment on, so that no time is flattered: the command that breaks takes some too.
            broken = self._runner.now()
            self._note_others()
            try:
                self._break(known, calm)
                self._await_alarms(broken)
            finally:
                self._storm.close()
                repaired = self._runner.now()
                if not is_kept:
                    self.repair(known)
            self._runner.on_repaired(self._drill)
            if not is_kept:
                self._await_quiet(broken, repaired)
            self._note_others()
        return self._result(broken, None if is_kept else repaired)

    def _break(self, known: Known, calm: ExitStack) -> None:
        self._ground.say(self._drill.name, f"breaks: {self._drill.breaks}")
        self._fault.prepare(self._ground, known)
        for one, rate in zip(self._traffic, self._drill.traffic, strict=True):
            (calm if rate.kind in CALM_KINDS else self._storm).enter_context(one.running())
        self._fault.inject(self._ground, known)

    def repair(self, known: Known) -> None:
        """Mends it, and only then forgets it."""
        self._ground.say(self._drill.name, "repairs")
        self._fault.repair(self._ground, known)
        self._runner.memory.drop(self._drill.name)
        self._ground.keep_record("drill.end", self._drill.name)

    def cleared(self, known: Known) -> Result:
        """What came of the repair of a fault that was kept; its alarms ring already."""
        rang = sorted(name for name in self._watch.ringing() if any_match(self._drill.declared, (name,)))
        repaired = self._runner.now()
        self.repair(known)
        self._await_quiet(repaired, repaired)
        times = [self._times(name, self._drill.detect_min, repaired, repaired) for name in rang]
        return Result(drill=self._drill, times=tuple(replace(one, detected_s=0.0) for one in times))

    def _await_alarms(self, broken: float) -> None:
        """Until all alarms ring that must, and status has said why; or their time is over."""
        told: set[str] = set()
        asked_at = broken

        def is_complete() -> bool:
            nonlocal asked_at
            for name in sorted(self._watch.rang_since(broken) - told):
                if any_match(self._drill.declared, (name,)):
                    self._ground.say(
                        self._drill.name, f"{name} rings after {self._runner.now() - broken:.0f} s"
                    )
                    told.add(name)
            is_late = self._runner.now() - asked_at >= self._runner.ask_status_every_s
            if not self._is_named and is_late:
                self._ask_status()
                asked_at = self._runner.now()
            return self._is_named and all(any_match((pattern,), told) for pattern in self._drill.rings)

        self._watch.wait_for(is_complete, self._limit_s(self._drill.detect_min))

    def _ask_status(self) -> None:
        """Another drill's cause may come first when both are under way, and then this one's after it."""
        causes = self._runner.status()
        self._note_others()
        foreign = {
            cause
            for other in (*self._others, *self._runner.echoes())
            for cause in (*other.causes, *other.side_causes)
        }
        named = next((cause for cause in causes if cause in self._drill.causes or cause not in foreign), "")
        self._named, self._is_named = named, named in self._drill.causes
        if self._is_named:
            self._ground.say(self._drill.name, f"status names {named}")

    def _await_quiet(self, broken: float, repaired: float) -> None:
        """Until all is quiet for some minutes, in which the last answers of the fault are counted."""
        settle_s = self._drill.settle_min * self._ground.minute_s

        def is_quiet() -> bool:
            mine = [
                name for name in self._watch.rang_since(broken) if any_match(self._drill.declared, (name,))
            ]
            changed = (self._watch.last(name, OK, repaired) or repaired for name in mine)
            is_over = self._runner.now() - max(changed, default=repaired) >= settle_s
            return is_over and not self._watch.ringing().intersection(mine)

        self._watch.wait_for(is_quiet, self._limit_s(self._drill.clear_min))
        self._ground.say(self._drill.name, f"quiet {self._runner.now() - repaired:.0f} s after the repair")

    def _note_others(self) -> None:
        self._others += [other for other in self._runner.others(self._drill) if other not in self._others]

    def _limit_s(self, minutes: float) -> float:
        return minutes * self._ground.minute_s + self._runner.slack_s

    def _result(self, broken: float, repaired: float | None) -> Result:
        rang = sorted(self._watch.rang_since(broken))
        declared = [alarm for other in self._others for alarm in other.declared]
        return Result(
            drill=self._drill,
            times=tuple(
                self._times(name, limit_min, broken, repaired)
                for pattern, limit_min in self._drill.rings.items()
                for name in rang
                if any_match((pattern,), (name,))
            ),
            others=tuple(
                name
                for name in rang
                if any_match(self._drill.may_ring, (name,)) and not any_match(self._drill.rings, (name,))
            ),
            undeclared=tuple(
                name for name in rang if not any_match((*self._drill.declared, *declared), (name,))
            ),
            status=self._named,
            is_named=self._is_named,
            requests=dict(sum((one.outcomes for one in self._traffic), Counter[str]())),
        )

    def _times(self, alarm: str, limit_min: float, broken: float, repaired: float | None) -> AlarmTimes:
        rang_at = self._watch.first(alarm, RINGING, broken)
        quiet_at = None if repaired is None else self._watch.last(alarm, OK, repaired)
        return AlarmTimes(
            alarm=alarm,
            detected_s=None if rang_at is None else rang_at - broken,
            cleared_s=None if repaired is None or quiet_at is None else quiet_at - repaired,
            detect_limit_s=self._limit_s(limit_min),
            clear_limit_s=None if repaired is None else self._limit_s(self._drill.clear_min),
        )
