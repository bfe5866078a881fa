"""Processes that take turns under a virtual clock: one seed, one interleaving, every time."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

from greenlet import greenlet

from tests.fakes.identity import NOW

FOREVER = float("inf")


class Killed(BaseException):
    """The process is gone: nothing of it has an effect any more."""


@dataclass(eq=False)
class Process:
    """Something that runs; `dies_at` is when its host ends it, as Lambda does after a time-out."""

    name: str
    run: Callable[[], object]
    dies_at: float = FOREVER
    is_dead: bool = False
    turns: greenlet | None = None

    def die(self) -> None:
        """Ends the process here and now; from then on it has no effect, whatever its code catches."""
        self.is_dead = True
        raise Killed


class Scheduler:
    """Runs the process that wakes first; every wait is drawn from the seed.

    A process gives its turn away wherever it calls the world (`pause`), so any other process can run
    between any two of its effects.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.time = NOW
        self.current: Process | None = None
        self.trace: list[tuple[float, str, str]] = []
        self._waiting: list[tuple[float, int, Process]] = []
        self._count = 0
        self._hub = greenlet.getcurrent()

    def now(self) -> float:
        """Epoch seconds."""
        return self.time

    def spawn(
        self, name: str, run: Callable[[], object], *, delay_s: float = 0.0, life_s: float = FOREVER
    ) -> None:
        """Starts a process in `delay_s`; its host ends it `life_s` later."""
        process = Process(name, run, dies_at=self.time + delay_s + life_s)
        self._push(self.time + delay_s, process)

    def pause(self, seconds: float) -> None:
        """Lets so much time pass for the process that calls; others run meanwhile."""
        process = self.current
        if process is None:
            return
        if process.is_dead:
            raise Killed
        wake_at = min(self.time + seconds, process.dies_at)
        if self._waiting and self._waiting[0][0] < wake_at:
            self._push(wake_at, process)
            self._hub.switch()
        else:
            self.time = wake_at
        if self.time >= process.dies_at:
            self.note("the host ends it")
            process.die()

    def note(self, what: str) -> None:
        """Keeps one line of the trace."""
        self.trace.append((self.time, self.current.name if self.current else "lab", what))

    def drain(self) -> None:
        """Runs until nobody waits for anything."""
        self._hub = greenlet.getcurrent()
        while self._waiting:
            self.time, _, process = heapq.heappop(self._waiting)
            self.current = process
            if process.turns is None:
                process.turns = greenlet(_until_killed)
                process.turns.switch(process.run)
            else:
                process.turns.switch()
            self.current = None

    def _push(self, at: float, process: Process) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, process))


def _until_killed(run: Callable[[], object]) -> None:
    try:
        run()
    except Killed:
        return
