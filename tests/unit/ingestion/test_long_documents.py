"""A document that needs several invocations gets them, and nothing is done twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from haylift.domain.chunks import Block, ParsedDocument, Vector
from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import DeadlineExceeded, ModelBusy
from haylift.resilience import Deadline
from haylift.services.hand_on import MAX_HANDOVERS, HandOnService
from haylift.services.ingest_attempt import Attempt
from haylift.services.parts import Part, stored_parts
from haylift.services.splitting import Piece

from tests.fakes.search import FakeModels
from tests.unit.ingestion.test_indexing_pipeline import Run, Strict
from tests.unit.ingestion.world import KEY, LEASE_S, World, index_equals_bucket
from tests.unit.ingestion.wrong_designs import with_attempt

LINES = b"\n".join(f"line {number}".encode() for number in range(20))


def a_long_document_ends_searchable(world: World) -> None:
    """Each invocation has time for two of ten writes; five are needed, and three attempts may fail."""
    world.pipeline.most_writes = 2
    world.bucket.put(KEY, LINES)
    world.dispatch(*world.bucket.bodies)
    world.bucket.bodies = []
    while world.lanes.sent:
        lane, order = world.lanes.sent.pop(0)
        before = world.row()
        if world.work(order)["batchItemFailures"]:
            world.clock.advance(LEASE_S + 1)
            world.lanes.send(lane, order)
        after = world.row()
        assert after is not None
        HandOnService(lanes=world.lanes).hand_on(before, after)
        assert world.pipeline.runs < 20

    index_equals_bucket(world)
    assert world.pipeline.runs == 5


def test_a_long_document_ends_searchable() -> None:
    a_long_document_ends_searchable(World())


def test_it_goes_on_at_once_and_its_message_is_done() -> None:
    world = World()
    world.pipeline.most_writes = 2
    world.bucket.put(KEY, LINES)
    world.dispatch(*world.bucket.bodies)
    ((lane, order),) = world.lanes.sent
    before = world.row()

    answer = world.work(order)

    after = world.row()
    assert answer == {"batchItemFailures": []}
    assert after is not None
    assert (after.state, after.handovers, after.attempts, after.lease_owner) == ("RECEIVED", 1, 0, "")
    HandOnService(lanes=world.lanes).hand_on(before, after)
    HandOnService(lanes=world.lanes).hand_on(after, replace(after, percent=50))
    assert world.lanes.sent == [(lane, order), (lane, order)]


def test_no_document_is_handed_on_for_ever() -> None:
    world = World()
    world.pipeline.most_writes = 2
    world.bucket.put(KEY, LINES)
    world.dispatch(*world.bucket.bodies)
    ((_, order),) = world.lanes.sent
    row = world.row()
    assert row is not None
    world.ledger.rows["acme", row.document_id] = replace(row, handovers=MAX_HANDOVERS)

    assert world.work(order)["batchItemFailures"]


class CountsEveryAttempt(Attempt):
    """Sees no progress."""

    def has_advanced(self) -> bool:
        return False


class StartsAgain(Attempt):
    """Removes what an earlier attempt has written, whatever it is of."""

    def _begin_draft(self, digest: str) -> None:
        self._record = replace(self._record, draft="")
        super()._begin_draft(digest)


@pytest.mark.parametrize("kind", [CountsEveryAttempt, StartsAgain])
def test_a_worker_that_counts_or_starts_again_fails_the_same_check(kind: type[Attempt]) -> None:
    with pytest.raises(AssertionError):
        a_long_document_ends_searchable(World(worker=with_attempt(kind)))


def test_an_attempt_without_progress_is_counted() -> None:
    world = World()
    world.pipeline.most_writes = 0
    world.bucket.put(KEY, LINES)
    world.dispatch(*world.bucket.bodies)
    ((_, order),) = world.lanes.sent
    for _ in range(3):
        assert world.work(order)["batchItemFailures"]
        world.clock.advance(LEASE_S + 1)

    world.work(order)

    row = world.row()
    assert row is not None
    assert (row.state, row.reason) == (DocumentState.REJECTED, "repeated_failure")


def what_is_kept_is_of_the_same_bytes(world: World, change: Callable[[World], None]) -> None:
    """An attempt ends early; when the next one comes, bytes, rights or recipe are others."""
    world.pipeline.most_writes = 2
    gone = world.bucket.put(KEY, b"gone 1\ngone 2\ngone 3\ngone 4\ngone 5\ngone 6")
    world.dispatch(*world.bucket.bodies)
    ((_, order),) = world.lanes.sent
    assert not world.work(order)["batchItemFailures"]
    world.pipeline.most_writes = 1_000
    change(world)
    if world.bucket.versions[KEY][-1].version_id != gone:
        world.bucket.expire(KEY, gone)

    world.work(order)

    index_equals_bucket(world)
    groups = {each.chunk.access_groups for each in world.index.stored["acme", "g1"].values()}
    assert groups == {world.row().access_groups}  # type: ignore[union-attr]  # a row is there


def _put_less(world: World) -> None:
    world.bucket.put(KEY, b"new 1")


def _put_more(world: World) -> None:
    world.bucket.put(KEY, b"\n".join(b"new %d" % number for number in range(9)))


def _restrict(world: World) -> None:
    world.bucket.put(KEY, b"gone 1\ngone 2\ngone 3\ngone 4\ngone 5\ngone 6", **{"access-groups": "hr"})


CHANGES = [_put_less, _put_more, _restrict]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_kept_is_of_the_same_bytes(change: Callable[[World], None]) -> None:
    what_is_kept_is_of_the_same_bytes(World(), change)


class KeepsWhateverIsThere(Attempt):
    """Takes all chunks of the revision for its own."""

    def _begin_draft(self, digest: str) -> None:
        self._record = replace(self._record, draft=f"{self._record.revision}:{digest}")
        super()._begin_draft(digest)


@pytest.mark.parametrize("change", CHANGES)
def test_a_worker_that_keeps_whatever_is_there_fails_the_same_check(change: Callable[[World], None]) -> None:
    with pytest.raises(AssertionError):
        what_is_kept_is_of_the_same_bytes(World(worker=with_attempt(KeepsWhateverIsThere)), change)


def test_another_recipe_keeps_nothing() -> None:
    world = World()
    world.pipeline.most_writes = 2
    world.bucket.put(KEY, LINES)
    world.dispatch(*world.bucket.bodies)
    ((_, order),) = world.lanes.sent
    world.work(order)
    world.pipeline.recipe = "newer"
    removed: list[DocumentRecord | None] = []
    world.after = lambda name: removed.append(world.row()) if name == "remove" else None

    world.work(order)

    assert len(removed) == 2  # chunks, then text
    assert len(world.lines(KEY, 1)) == 4


@dataclass
class CountingModels(Strict):
    """Counts the texts that it embedded; after `most_calls` the time is over."""

    most_calls: int = 1_000
    embedded: list[str] = field(default_factory=list)

    def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
        vectors = super().embed_documents(texts, deadline)
        if not self.most_calls:
            raise DeadlineExceeded("The time is over.")
        self.most_calls -= 1
        self.embedded += texts
        return vectors


SENTENCES = ["One cat sat down there.", "Two dogs came in here. Three birds flew off.", "A short one."]
MIXED = ParsedDocument(
    title="",
    media_type="text/plain",
    blocks=tuple(Block(text=SENTENCES[number % 3], headings=(), page=number) for number in range(1, 61)),
)


def test_a_second_attempt_embeds_only_what_is_missing_and_numbers_as_one_attempt_would() -> None:
    whole, models = Run(MIXED, Strict()), CountingModels(most_calls=2)
    expected = whole.pipeline.run(whole.task)
    torn = Run(MIXED, models)
    with pytest.raises(DeadlineExceeded):
        torn.pipeline.run(torn.task)
    first = len(models.embedded)
    models.most_calls = 1_000

    indexed = torn.pipeline.run(torn.task)

    assert 0 < first < 80
    assert indexed == expected
    assert indexed.chunk_count == len(models.embedded) == 80
    chunks = {key: each.chunk for key, each in torn.index.stored["acme", "g1"].items()}
    assert chunks == {key: each.chunk for key, each in whole.index.stored["acme", "g1"].items()}
    assert sorted(chunk.ordinal for chunk in chunks.values()) == list(range(80))


def test_what_a_store_lost_of_a_halved_piece_is_made_again() -> None:
    run = Run(MIXED, Strict())
    expected = run.pipeline.run(run.task)
    stored = run.index.stored["acme", "g1"]
    everything = dict(stored)
    for path in ("0", "1"):
        del stored[run.task.key.chunk_id(3, 0, path)]
        indexed = run.pipeline.run(run.task)
        assert indexed == expected
        assert stored.keys() == everything.keys()


def test_a_busy_model_is_waited_for_inside_the_pipeline() -> None:
    @dataclass
    class BusyOnce(FakeModels):
        calls: int = 0

        def embed_documents(self, texts: Sequence[str], deadline: Deadline) -> list[Vector]:
            self.calls += 1
            if self.calls == 1:
                raise ModelBusy("full", retry_after_s=0.0)
            return super().embed_documents(texts, deadline)

    run = Run(models=BusyOnce())

    assert run.pipeline.run(run.task).chunk_count == 70
    assert [stage for stage, _ in run.shown][:4] == ["parse", "embed", "embed", "write"]


def test_parts_keep_their_names() -> None:
    part = Part(position=4, piece=Piece(text="One is here. Two is there.", page=1, headings=("a",)))

    halves = part.halves()

    assert [(half.position, half.path, half.piece.text) for half in halves] == [
        (4, "0", "One is here."),
        (4, "1", "Two is there."),
    ]
    assert [half.path for half in halves[1].halves()] == ["10", "11"]


@pytest.mark.parametrize(
    ("stored", "count"),
    [
        ((), 0),
        (("p",), 1),
        (("p0",), 0),
        (("p1",), 0),
        (("p0", "p1"), 2),
        (("p0", "p10"), 0),
        (("p0", "p10", "p11"), 3),
        (("q",), 0),
    ],
)
def test_a_piece_is_stored_when_all_of_it_is(stored: tuple[str, ...], count: int) -> None:
    assert stored_parts(frozenset(stored), lambda path: f"p{path}") == count
