"""Faults of processes and files, which only a system on this machine has."""

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import override

from ops.drill.faults import Fault, Impatient, Known
from ops.drill.ground import Ground
from ops.drill.letters import drop_dead_letters
from ops.drill.uploads import remove_all
from ops.faults import OpsFault

ROOT = Path(__file__).resolve().parents[2]
HELD = "held"
COMMAND_LIMIT_S = 180.0
RELEASE_LIMIT_S = 30.0


def _words(ground: Ground, *words: str) -> list[str]:
    """The local command that breaks and mends; operators' code may not know it otherwise."""
    where = ["--state-dir", str(ground.state_dir.absolute())]
    return [sys.executable, "-m", "local.breakage", *words, *where]


def _run(ground: Ground, *words: str) -> None:
    done = subprocess.run(
        _words(ground, *words), cwd=ROOT, capture_output=True, text=True, check=False, timeout=COMMAND_LIMIT_S
    )
    if done.returncode:
        raise OpsFault("part_not_switched", f"`local.breakage {' '.join(words)}`: {done.stderr.strip()}")


@dataclass(frozen=True)
class Stopped(Fault):
    """A process of the system is killed."""

    part: str

    @override
    def learn(self, ground: Ground) -> Known:
        """Nothing needs to be known: the system's records say how it is started."""
        return {}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Kills it."""
        _run(ground, "stop", self.part)

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Starts it and waits until it answers."""
        _run(ground, "start", self.part)


@dataclass
class Held(Fault):
    """A fault that lasts as long as a helper process, which ends with this one at the latest.

    Args:
        words: what the helper does.
        mend: what repairs it should the helper have been killed itself.
    """

    words: tuple[str, ...]
    mend: tuple[str, ...] = ()
    _helper: "subprocess.Popen[str] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @override
    def learn(self, ground: Ground) -> Known:
        """Nothing needs to be known."""
        return {}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Starts the helper and waits until the fault is there."""
        self._helper = subprocess.Popen(
            _words(ground, *self.words), cwd=ROOT, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._helper.stdout is not None
        if self._helper.stdout.readline().strip() != HELD:
            raise OpsFault("fault_not_held", f"`local.breakage {' '.join(self.words)}` could not begin.")

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Ends the helper."""
        with self._lock:
            helper, self._helper = self._helper, None
        if helper is not None:
            with helper:
                assert helper.stdin is not None
                helper.stdin.close()
                helper.wait(RELEASE_LIMIT_S)
        if self.mend:
            _run(ground, *self.mend)


@dataclass(frozen=True)
class Retried(Fault):
    """A fault whose messages come back soon: what takes hours otherwise is seen in a drill."""

    cause: Fault
    impatience: Impatient

    @override
    def learn(self, ground: Ground) -> Known:
        """What both need."""
        return {**self.cause.learn(ground), **self.impatience.learn(ground)}

    @override
    def prepare(self, ground: Ground, known: Known) -> None:
        """The queues, before the first file: a message received earlier would be held for minutes."""
        self.impatience.inject(ground, known)

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Begins the cause."""
        self.cause.inject(ground, known)

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Ends the cause, lets the drill's messages go as fast as they came, then puts the queues right."""
        self.cause.repair(ground, known)
        # A worker that died holds its document for the lease; of a deleted one nothing is left to do.
        remove_all(ground)
        self.impatience.drain(ground, known)
        self.impatience.repair(ground, known)


@dataclass(frozen=True)
class Crashing(Retried):
    """Every process of a function is killed while it works; what it held becomes a dead letter."""

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Lets the function live, and takes out of the dead-letter queues what the drill left there."""
        super().repair(ground, known)
        for queue in self.impatience.queues:
            drop_dead_letters(ground, queue)
