"""One run: uploaders, queues, workers and readers of one seed, until everything has settled."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from haylift.domain.documents import DocumentKey
from haylift.domain.errors import HayliftError

from tests.lab.parts import LabBucket, LabIndex, Queue
from tests.lab.scheduler import Scheduler
from tests.lab.weather import CALM, Weather

TENANT = "acme"
KEYS = ("documents/acme/a.md", "documents/acme/b c+%.md")
WORKER_LIFE_S = 120.0
"""A function's time-out; shorter than the lease (150 s), so that nobody outlives his lease."""

DISPATCH_LIFE_S = 30.0
READERS = 2


class Design(Protocol):
    """A way to bring the index to what the bucket holds."""

    def event(self, body: str) -> None:
        """Works on one event of the bucket. Raises HayliftError to get it again."""

    def order(self, order: Any) -> None:
        """Works on what `lab.lane` carries. Raises HayliftError to get it again."""

    def read(self) -> None:
        """Reads as a user would, and checks what it finds."""

    def tend(self, number: int) -> None:
        """What a schedule starts beside the workers, if anything."""

    def check(self) -> None:
        """Checks the end. Raises AssertionError."""


class Lab:
    """The world of one seed.

    `steady`: the first document is only ever put with good content, so that readers must always find it.
    """

    def __init__(self, seed: int, design: Callable[["Lab"], Design]) -> None:
        self.seed = seed
        self.scheduler = Scheduler(seed)
        self.weather = Weather.drawn(self.scheduler.random)
        self.is_steady = self.scheduler.random.random() < 0.5
        self.faults: Counter[str] = Counter()
        self.deaths: Counter[Any] = Counter()
        self.lines: dict[str, set[tuple[str, ...]]] = {key: set() for key in KEYS}
        self.keys = KEYS[: self.weather.key_count]
        self.index = LabIndex(self)
        self.bucket = LabBucket(self._publish, self._lacks, self.scheduler.now)
        self.design = design(self)
        self.intake = Queue(self, "dispatch", self.design.event, life_s=DISPATCH_LIFE_S)
        self.lane = Queue(self, "worker", self.design.order, life_s=WORKER_LIFE_S)

    def run(self) -> None:
        """Storm, then calm, then the checks.

        Raises:
            AssertionError: readers saw what they must not see, or the end is not what the bucket holds.
        """
        self._begin()
        self.scheduler.drain()
        self.settle()
        self.design.check()

    def settle(self) -> None:
        """Faults end; dead letters are sent again, and each queue delivers what came long ago once more."""
        self.weather = CALM
        for _ in range(2):
            for queue in (self.intake, self.lane):
                queue.redrive()
            self.scheduler.drain()
        for queue in (self.intake, self.lane):
            for body in self.scheduler.random.sample(queue.seen, min(len(queue.seen), 6)):
                queue.send(body)
        self.scheduler.drain()
        assert not self.intake.dead
        assert not self.lane.dead

    def put(self, key: str, lines: Sequence[str]) -> None:
        """Puts a document of these lines; each content has lines of its own, so that a mix shows."""
        self.lines[key].add(tuple(sorted(lines)))
        self.bucket.put(key, "\n".join(lines).encode())
        self.scheduler.note(f"put {key} {lines[:1]}")

    def before(self, label: str) -> None:
        """Called before each effect."""
        self._pause(label)

    def after(self, label: str) -> None:
        """Called after each effect."""
        self._pause(label)

    def happens(self, ratio: float) -> bool:
        """Throws the dice, unless the sky is clear of this."""
        return ratio > 0 and self.scheduler.random.random() < ratio

    def fault(self, kind: str, where: str) -> None:
        """Counts and notes a fault."""
        self.faults[kind] += 1
        self.scheduler.note(f"{kind}: {where}")

    def _pause(self, label: str) -> None:
        process = self.scheduler.current
        chance = self.scheduler.random
        if process and not process.name.startswith("reader"):
            if self.happens(self.weather.kill_ratio):
                self.fault("killed", label)
                process.die()
            if self.happens(self.weather.stall_ratio):
                self.fault("stalled", label)
                self.scheduler.pause(chance.random() * 60.0)
                return
        self.scheduler.pause(0.01 * chance.random() ** 3)

    def _publish(self, body: str) -> None:
        self.intake.send(body)

    def _lacks(self, ratio: float) -> bool:
        return self.weather is not CALM and self.happens(ratio)

    def _begin(self) -> None:
        chance, at = self.scheduler.random, 0.0
        for number in range(self.weather.change_count):
            at += chance.expovariate(1 / self.weather.gap_s) if chance.random() < 0.6 else 0.0
            self.scheduler.spawn("uploader", lambda number=number: self._change(number), delay_s=at)
        for number in range(chance.randint(0, 3)):
            self.scheduler.spawn(
                f"schedule {number}",
                lambda number=number: self._tend(number),
                delay_s=chance.random() * 2_000.0,
                life_s=WORKER_LIFE_S,
            )
        for number in range(READERS):
            self.scheduler.spawn(f"reader {number}", self._read, delay_s=chance.random())

    def _tend(self, number: int) -> None:
        try:
            self.design.tend(number)
        except HayliftError:
            self.scheduler.note("the schedule comes again")

    def _read(self) -> None:
        """Reads as long as work is under way, more and more seldom."""
        pause_s = self.weather.gap_s * 0.05 + 0.005
        for _ in range(12):
            try:
                self.design.read()
            except HayliftError:
                self.scheduler.note("nothing can be read")
            self.scheduler.pause(pause_s * self.scheduler.random.random())
            pause_s *= 1.6

    def _change(self, number: int) -> None:
        chance = self.scheduler.random
        key = chance.choice(self.keys)
        stored = self.bucket.versions.get(key, [])
        if self.is_steady and key == KEYS[0]:
            kind = chance.choices(("put", "same", "expire"), (6, 2, 2))[0]
            stored = stored[:-1]
        else:
            kind = chance.choices(("put", "same", "delete", "expire", "bad", "empty"), (8, 2, 4, 4, 1, 1))[0]
        if kind == "expire" and stored:
            self.scheduler.note(f"expire {key}")
            self.bucket.expire(key, chance.choice(stored).version_id)
        elif kind == "delete":
            self.scheduler.note(f"delete {key}")
            self.bucket.delete(key)
        elif kind == "bad":
            self.put(key, ["bad", f"{number}"])
        elif kind == "empty":
            self.put(key, [])
        elif kind == "same" and self.lines[key]:
            self.put(key, chance.choice(sorted(self.lines[key])))
        else:
            self.put(key, [f"{number}.{line} of {key}" for line in range(chance.randint(1, 7))])


def document_id(key: str) -> str:
    """The id of the document under a key."""
    return DocumentKey.parse(key).document_id
