"""Events in any order, twice, and workers that meet: the end is what the bucket holds."""

import random
from collections import Counter

import pytest
from haylift.domain.documents import ObjectVersion
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import MAX_ATTEMPTS

from tests.unit.ingestion.world import KEY, LEASE_S, Killed, Steps, World, index_equals_bucket
from tests.unit.ingestion.wrong_designs import Hearsay, NoSecondSend, with_attempt

SEEDS = range(200)
KEYS = (KEY, "documents/acme/b c+%.md")
CONTENTS = (b"one", b"one\ntwo\nthree", b"four\nfive", b"bad", b"", b"six\nseven\neight\nnine\nten")
DEEPEST = 3
MOST_ACTS = 5_000
"""Some hundreds is what a storm takes."""


class Storm:
    """Uploaders, queues and processes of one seed.

    A process is interrupted after any effect: others run meanwhile, wholly or until they die. One
    order kills fewer workers than a document may before it is rejected.
    """

    def __init__(self, seed: int, world: World) -> None:
        self.random = random.Random(seed)
        self.world = world
        self.changes_left = 12
        self.depth = 0
        self.known: list[str] = []
        self.victims: list[object] = []
        self.deaths: Counter[object] = Counter()
        world.after = self.interrupt

    def run(self) -> None:
        steps = Steps(MOST_ACTS)
        while self.changes_left or self.world.bucket.bodies or self.world.lanes.sent:
            steps.take()
            self.act()
        self.depth = DEEPEST
        # Every queue delivers what is left, and again what came long ago.
        self.world.bucket.bodies = self.known
        self.world.settle()

    def act(self) -> None:
        self.random.choice((self.change, self.deliver_event, self.deliver_order))()

    def interrupt(self, _: str) -> None:
        if self.depth >= DEEPEST:
            return
        self.depth += 1
        try:
            while self.random.random() < 0.15:
                self.act()
        finally:
            self.depth -= 1
        if self.random.random() < 0.03 and self.deaths[self.victims[-1]] < MAX_ATTEMPTS - 1:
            self.deaths[self.victims[-1]] += 1
            raise Killed

    def change(self) -> None:
        if not self.changes_left:
            return
        self.changes_left -= 1
        bucket, key = self.world.bucket, self.random.choice(KEYS)
        kind = self.random.choices(("put", "delete", "expire"), (6, 2, 3))[0]
        stored = bucket.versions.get(key)
        if kind == "put" or not stored:
            bucket.put(key, self.random.choice(CONTENTS))
        elif kind == "delete":
            bucket.delete(key)
        else:
            bucket.expire(key, self.random.choice(stored).version_id)

    def deliver_event(self) -> None:
        bodies = self.world.bucket.bodies
        if not bodies:
            return
        body = bodies.pop(self.random.randrange(len(bodies)))
        self.known.append(body)
        if self.random.random() < 0.2:
            bodies.append(body)
        self.victims.append(body)
        try:
            self.world.dispatch(body)
        except Killed:
            bodies.append(body)
        finally:
            self.victims.pop()

    def deliver_order(self) -> None:
        sent = self.world.lanes.sent
        if not sent:
            return
        lane, order = sent.pop(self.random.randrange(len(sent)))
        if self.random.random() < 0.2:
            sent.append((lane, order))
        self.victims.append(order)
        try:
            if self.world.work(order)["batchItemFailures"]:
                sent.append((lane, order))
                self.world.clock.advance(LEASE_S / 2)
        except Killed:
            sent.append((lane, order))
            # Leases of living workers must hold: the clock stands still while one is under way.
            self.world.clock.advance(0 if self.depth else LEASE_S + 1)
        finally:
            self.victims.pop()


def the_end_is_what_the_bucket_holds(seed: int, world: World) -> None:
    Storm(seed, world).run()
    for key in KEYS:
        index_equals_bucket(world, key, orphans_allowed=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_is_what_the_bucket_holds(seed: int) -> None:
    the_end_is_what_the_bucket_holds(seed, World())


class EventsAlone(DispatchService):
    """Takes every `Object Deleted` for the loss of the object."""

    def _look(self, event: ObjectEvent) -> ObjectVersion | None:
        return super()._look(event) if event.kind is ObjectEventKind.CREATED else None


def failing_seeds(dispatcher: type[DispatchService], worker: type[IngestService]) -> int:
    """How many of the first seeds end wrong under a design."""
    count = 0
    for seed in SEEDS[:60]:
        try:
            the_end_is_what_the_bucket_holds(seed, World(dispatcher=dispatcher, worker=worker))
        except AssertionError:
            count += 1
    return count


def test_a_dispatcher_that_never_sends_again_fails_the_same_check() -> None:
    assert failing_seeds(NoSecondSend, IngestService) > 0


def test_deletions_by_hearsay_fail_the_same_check() -> None:
    assert failing_seeds(EventsAlone, with_attempt(Hearsay)) > 0
