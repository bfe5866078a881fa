"""Many drills in one run: side by side where they do not disturb each other."""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from ops.drill.drill import Drill
from ops.drill.ground import Ground
from ops.drill.runner import Runner
from ops.drill.verdict import Result

MOST_AT_ONCE = 4
"""Broken at a time: two cores, and a person who wants to follow."""

LOOK_EVERY_S = 1.0
ECHO_S = 180.0
"""`ops status` looks back over the minute under way and some whole ones before."""
LONGEST_S = 1_500.0
"""A drill that would take longer is left to `drill run`, so that all of them end within half an hour."""


def chosen(drills: Iterable[Drill], ground: Ground) -> tuple[list[Drill], dict[str, str]]:
    """The drills that run on this stage at this pace, and why others do not, by name."""
    run: list[Drill] = []
    left_out: dict[str, str] = {}
    for drill in drills:
        longest_s = max(drill.rings.values(), default=0.0) * ground.minute_s
        if ground.deployment.stage not in drill.stages:
            left_out[drill.name] = drill.refusal
        elif longest_s > LONGEST_S:
            left_out[drill.name] = f"takes {longest_s / 60:.0f} minutes: `drill run {drill.name}`"
        else:
            run.append(drill)
    return run, left_out


class Program:
    """Which drills wait, which are broken now, and whose alarms are still clearing."""

    def __init__(self, runner: Runner, drills: Sequence[Drill]) -> None:
        """The order of the drills is that in which they are begun, where nothing else decides."""
        self._waiting = list(drills)
        self._broken: list[Drill] = []
        self._clearing: list[Drill] = []
        self._beside: dict[str, list[Drill]] = {}
        self._changed = threading.Condition()
        self._ended: list[tuple[float, Drill]] = []
        self._runner = replace(
            runner, others=self._under_way, echoes=self._echoes, on_repaired=self._note_repair
        )

    def run(self) -> list[Result]:
        """All results, in the order in which the drills ended."""
        with ThreadPoolExecutor(len(self._waiting) or 1, thread_name_prefix="drill") as pool:
            try:
                return self._all(pool)
            except BaseException:
                # Those that are under way repair at once what they broke.
                self._runner.ground.is_stopping.set()
                self._runner.watch.end()
                raise

    def _all(self, pool: ThreadPoolExecutor) -> list[Result]:
        results: list[Result] = []
        running: dict[Future[Result], Drill] = {}
        while self._waiting or running:
            while (drill := self._next()) is not None:
                running[pool.submit(self._runner.run, drill)] = drill
            with self._changed:
                self._changed.wait(LOOK_EVERY_S)
            for future in wait(running, timeout=0).done:
                self._note_end(running.pop(future))
                results.append(future.result())
        return results

    def _next(self) -> Drill | None:
        with self._changed:
            if len(self._broken) >= MOST_AT_ONCE:
                return None
            for drill in self._waiting:
                is_free = not any(drill.disturbs(other) for other in self._broken) and not any(
                    drill.disturbs(other, is_broken=False) for other in self._clearing
                )
                if is_free:
                    self._waiting.remove(drill)
                    self._note_begin(drill)
                    return drill
        return None

    def _note_begin(self, drill: Drill) -> None:
        beside = [*self._broken, *self._clearing]
        for other in beside:
            self._beside[other.name].append(drill)
        self._beside[drill.name] = beside
        self._broken.append(drill)

    def _under_way(self, drill: Drill) -> list[Drill]:
        """All that were under way at some time since the drill began."""
        with self._changed:
            return list(self._beside[drill.name])

    def _echoes(self) -> list[Drill]:
        since = self._runner.now() - ECHO_S
        with self._changed:
            return [drill for at, drill in self._ended if at >= since]

    def _note_repair(self, drill: Drill) -> None:
        with self._changed:
            if drill in self._broken:
                self._broken.remove(drill)
                self._clearing.append(drill)
            self._changed.notify_all()

    def _note_end(self, drill: Drill) -> None:
        with self._changed:
            self._ended.append((self._runner.now(), drill))
            self._broken = [other for other in self._broken if other is not drill]
            self._clearing = [other for other in self._clearing if other is not drill]
