"""Whatever order of changes, deliveries and deaths is tried, the end is what the bucket holds.

Beside the lab: its runs are drawn at random, these are searched for and made short by Hypothesis.
`HAYLIFT_LAB=full` tries 2,000 examples.
"""

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.lab.designs import Hearsay, TakesEventsAtTheirWord
from tests.unit.ingestion.world import LEASE_S, Killed, World, index_equals_bucket, nothing
from tests.unit.ingestion.wrong_designs import with_attempt

KEYS = ("documents/acme/a.md", "documents/acme/b c+%.md")
MOST_DEATHS = 2
"""One fewer than a document may cost before it is given up."""

EXAMPLES = 2_000 if os.environ.get("HAYLIFT_LAB") == "full" else 30
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
keys = st.sampled_from(KEYS)
places = st.integers(min_value=0, max_value=50)
lives = st.none() | st.integers(min_value=1, max_value=25)
"""After how many effects the process dies; None: it does not."""


class Ingestion(RuleBasedStateMachine):
    """Uploaders, queues and processes; each rule is one thing that one of them does."""

    def make_world(self) -> World:
        """The design as it is."""
        return World()

    def __init__(self) -> None:
        super().__init__()
        self.world = self.make_world()
        self.contents: dict[str, set[tuple[str, ...]]] = {key: {()} for key in KEYS}
        self.known: list[str] = []
        self.deaths: Counter[object] = Counter()
        self.count = 0

    @rule(key=keys, lines=st.integers(min_value=0, max_value=5))
    def put(self, key: str, lines: int) -> None:
        self.count += 1
        self._put(key, [f"{self.count}.{line}" for line in range(lines)])

    @rule(key=keys, place=places)
    def put_again_what_was_there(self, key: str, place: int) -> None:
        known = sorted(self.contents[key])
        self._put(key, list(known[place % len(known)]))

    @rule(key=keys)
    def put_what_nobody_can_read(self, key: str) -> None:
        self.world.bucket.put(key, b"bad")

    @rule(key=keys)
    def delete(self, key: str) -> None:
        if key in self.world.bucket.versions:
            self.world.bucket.delete(key)

    @rule(key=keys, place=places)
    def expire(self, key: str, place: int) -> None:
        if stored := self.world.bucket.versions.get(key):
            self.world.bucket.expire(key, stored[place % len(stored)].version_id)

    @precondition(lambda self: self.world.bucket.bodies)
    @rule(place=places, life=lives)
    def deliver_event(self, place: int, life: int | None) -> None:
        bodies = self.world.bucket.bodies
        body = bodies.pop(place % len(bodies))
        self.known.append(body)
        if not self._lives_through(life, body, lambda: self.world.dispatch(body)):
            bodies.append(body)

    @precondition(lambda self: self.known)
    @rule(place=places)
    def deliver_event_again(self, place: int) -> None:
        self.world.dispatch(self.known[place % len(self.known)])

    @precondition(lambda self: self.world.lanes.sent)
    @rule(place=places, life=lives, comes_again=st.booleans())
    def deliver_order(self, place: int, life: int | None, comes_again: bool) -> None:
        sent = self.world.lanes.sent
        lane, order = sent.pop(place % len(sent))
        answers: list[Any] = []
        is_done = self._lives_through(life, order, lambda: answers.append(self.world.work(order)))
        if comes_again or not is_done or answers[0]["batchItemFailures"]:
            sent.append((lane, order))

    @rule()
    def let_leases_end(self) -> None:
        self.world.clock.advance(LEASE_S + 1)

    @invariant()
    def readers_find_whole_documents(self) -> None:
        for key in KEYS:
            assert tuple(self.world.seen(key)) in self.contents[key]

    def teardown(self) -> None:
        self.world.bucket.bodies += self.known
        self.world.settle()
        for key in KEYS:
            index_equals_bucket(self.world, key, orphans_allowed=True)

    def _put(self, key: str, lines: list[str]) -> None:
        self.contents[key].add(tuple(lines))
        self.world.bucket.put(key, "\n".join(lines).encode())

    def _lives_through(self, life: int | None, victim: object, run: Any) -> bool:
        """False when the process died after its effect number `life`."""
        effects = 0

        def die(_: str) -> None:
            nonlocal effects
            effects += 1
            if effects == life and self.deaths[victim] < MOST_DEATHS:
                self.deaths[victim] += 1
                raise Killed

        self.world.after = die
        try:
            run()
        except Killed:
            return False
        finally:
            self.world.after = nothing
        return True


class WithoutHead(Ingestion):
    """The ledger with its sequencers, and nobody who looks at the object."""

    def make_world(self) -> World:
        return World(dispatcher=TakesEventsAtTheirWord, worker=with_attempt(Hearsay))


def test_every_order_of_changes_deliveries_and_deaths_ends_right() -> None:
    run_state_machine_as_test(Ingestion, settings=SETTINGS)


def test_a_design_that_never_looks_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            WithoutHead, settings=settings(SETTINGS, max_examples=200, phases=(Phase.generate,))
        )
