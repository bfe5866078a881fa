"""Announcements: every change is told, and the tags of a version end as the ledger does."""

import random
from dataclasses import dataclass, field

import pytest
from haylift.domain.announcements import MAX_TAGS, tagged
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Lane
from haylift.domain.errors import StoreUnavailable
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.history import StateChange
from haylift.services.announce import AnnounceService
from haylift.telemetry import Metric
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fakes.announcements import MemoryChanges, MemoryTags
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.ingestion import MemoryLedger

KEY = DocumentKey("acme", "a.md")


class Killed(BaseException):
    """The process ends here."""


@dataclass
class World:
    """A document's life, its stream, and announcers that are interrupted by what happens meanwhile."""

    kind: type[AnnounceService]
    chance: random.Random
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    stream: list[tuple[DocumentRecord | None, DocumentRecord]] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    tags: MemoryTags = field(default_factory=MemoryTags)
    changes: MemoryChanges = field(default_factory=MemoryChanges)
    steps_left: int = 6
    kills_left: int = 2
    depth: int = 0

    def __post_init__(self) -> None:
        self.tags.meanwhile = self.changes.meanwhile = self.meanwhile

    def live(self) -> None:
        """One write of the ledger."""
        row = self.ledger.get("acme", KEY.document_id)
        self.steps_left -= 1
        self.ledger.clock.advance(1)
        if row is None or row.state.is_final or self.chance.random() < 0.2:
            same = row is not None and self.chance.random() < 0.5
            version = row.version_id if row and same else f"v{self.steps_left}"
            number = len(self.stream) + 1
            event = ObjectEvent(kind=ObjectEventKind.CREATED, key=KEY, sequencer=f"{number:064d}")
            after = self.ledger.claim(event, version, lane=Lane.INTERACTIVE).record
        elif row.state is DocumentState.RECEIVED:
            after = self.ledger.take_lease("acme", KEY.document_id, row.revision, f"w{self.steps_left}", 60.0)
        else:
            after = self.ledger.finish(row, DocumentState.SEARCHABLE)
        self.pending.append(len(self.stream))
        self.stream.append((row, after))

    def meanwhile(self, _step: str) -> None:
        """Between any two effects the ledger may go on, another announcer run, or this one die."""
        chosen = self.chance.random()
        if chosen < 0.25 and self.steps_left > 0:
            self.live()
        elif chosen < 0.6 and self.depth < 3 and self.pending:
            self.deliver()
        elif chosen < 0.7 and self.kills_left > 0:
            self.kills_left -= 1
            raise Killed

    def deliver(self) -> None:
        """Announces one change, any of them; it is over only when the announcer lived."""
        number = self.chance.choice(self.pending)
        service = self.kind(
            ledger=self.ledger,
            tags=self.tags,
            changes=self.changes,
            telemetry=RecordedTelemetry(),
            now=self.ledger.clock.now,
        )
        self.depth += 1
        try:
            service.announce(*self.stream[number])
        except (Killed, StoreUnavailable):
            # Not acknowledged: the stream brings it again, even if another delivery of it has lived.
            self.pending = sorted({*self.pending, number})
            return
        finally:
            self.depth -= 1
        if number in self.pending and self.chance.random() < 0.9:
            self.pending.remove(number)


def ends_as_the_ledger_does(kind: type[AnnounceService], seed: int) -> None:
    """The check: every change was told, and the newest version's tags say what the row says."""
    world = World(kind, random.Random(seed))
    while world.steps_left > 0 or world.pending:
        if world.steps_left > 0 and (not world.pending or world.chance.random() < 0.5):
            world.live()
        else:
            world.deliver()

    row = world.ledger.get("acme", KEY.document_id)
    assert row is not None
    told = {(record.revision, record.state) for record in world.changes.told}
    assert {(after.revision, after.state) for _, after in world.stream} == told
    tags = world.tags.by_version[row.key, row.version_id]
    assert (tags["haylift-state"], tags["haylift-revision"]) == (row.state.value, str(row.revision))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
@example(0)
def test_announcements_end_as_the_ledger_does(seed: int) -> None:
    ends_as_the_ledger_does(AnnounceService, seed)


class _TagsWhatItHeard(AnnounceService):
    """Writes the state of the event, whatever the ledger says by now."""

    def _tag(self, heard: DocumentRecord) -> None:
        there = dict(self.tags.tags(heard.key, heard.version_id) or {})
        ours = {"haylift-state": heard.state.value, "haylift-revision": str(heard.revision)}
        self.tags.put_tags(heard.key, heard.version_id, there | ours)


class _LooksOnce(AnnounceService):
    """Looks at the ledger before it writes, and not again."""

    def _tag(self, heard: DocumentRecord) -> None:
        row = self.ledger.get(heard.tenant, heard.document_id)
        assert row is not None
        if row.version_id == heard.version_id:
            _TagsWhatItHeard._tag(self, row)  # type: ignore[arg-type]


class _TagsFirstAndForgets(AnnounceService):
    """Tells by event only what it could tag the moment before."""

    def announce(self, before: DocumentRecord | None, after: DocumentRecord) -> None:
        try:
            super().announce(before, after)
        except Killed:
            return


@pytest.mark.parametrize("broken", [_TagsWhatItHeard, _LooksOnce, _TagsFirstAndForgets])
def test_an_announcer_that_forgets_or_overwrites_fails_the_same_check(broken: type[AnnounceService]) -> None:
    def all_seeds() -> None:
        for seed in range(1_000):
            ends_as_the_ledger_does(broken, seed)

    with pytest.raises((AssertionError, KeyError)):
        all_seeds()


CHANGE = StateChange(state=DocumentState.REJECTED, revision=4, at=1.0, reason="encrypted")


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f"t{n}" for n in range(12)]) | st.sampled_from(["haylift-state", "haylift-reason"]),
        st.text("ab", max_size=3),
        max_size=10,
    )
)
def test_tags_of_others_stay_and_all_fit(tags: dict[str, str]) -> None:
    theirs = {name: text for name, text in tags.items() if not name.startswith("haylift-")}

    found = tagged(tags, CHANGE)

    assert found is not None
    assert theirs.items() <= found.items()
    assert len(found) <= MAX_TAGS
    room = MAX_TAGS - len(theirs)
    ours = ["haylift-state", "haylift-reason", "haylift-revision"][:room]
    assert [name for name in found if name not in theirs] == ours


def test_a_reason_goes_with_the_next_state_and_older_news_change_nothing() -> None:
    rejected = tagged({"team": "hr"}, CHANGE)
    assert rejected is not None

    mended = tagged(rejected, StateChange(state=DocumentState.SEARCHABLE, revision=5, at=2.0))
    late = tagged(rejected, StateChange(state=DocumentState.RECEIVED, revision=3, at=0.0))

    assert mended == {"team": "hr", "haylift-state": "SEARCHABLE", "haylift-revision": "5"}
    assert late is None


def test_progress_is_no_change_and_a_deletion_has_no_tags() -> None:
    ledger, tags, changes, telemetry = MemoryLedger(), MemoryTags(), MemoryChanges(), RecordedTelemetry()
    service = AnnounceService(
        ledger=ledger, tags=tags, changes=changes, telemetry=telemetry, now=ledger.clock.now
    )
    event = ObjectEvent(kind=ObjectEventKind.DELETE_MARKER, key=KEY, sequencer="0" * 64)
    claimed = ledger.claim(event, "", lane=Lane.INTERACTIVE).record
    leased = ledger.take_lease("acme", KEY.document_id, 1, "w", 60.0)
    shown = ledger.progress(leased, stage="embed", percent=40, lease_s=60.0)

    service.announce(None, claimed)
    service.announce(leased, shown)

    assert [record.state for record in changes.told] == [DocumentState.RECEIVED]
    assert tags.by_version == {}
    assert [metric for metric, *_ in telemetry.records] == [Metric.ANNOUNCED_AFTER]
