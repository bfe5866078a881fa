"""Metadata files beside documents: whatever comes late, a document is never shown to more than they say."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from haylift.domain.documents import DocumentKey, DocumentState, Lane, padded_sequencer
from haylift.domain.errors import StoreUnavailable
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.services.dispatch import DispatchService
from haylift.services.object_metadata import ObjectMetadata
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.announcements import MemoryTags
from tests.fakes.bucket import MemoryBucket
from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.ingestion import MemoryLanes, MemoryLedger

KEY = DocumentKey("acme", "plan.md")
SIDECAR = DocumentKey("acme", "plan.md.metadata.json")
GROUPS = [b'{"access_groups": ["hr"]}', b'{"access_groups": ["legal"]}', b"{}", b"broken"]


@dataclass
class Files:
    """The current bytes of a bucket's small files."""

    bucket: MemoryBucket

    def read(self, key: str, *, max_bytes: int) -> bytes | None:
        stored = self.bucket.current(key)
        return stored.data[:max_bytes] if stored and stored.data is not None else None


@dataclass
class World:
    """A bucket whose events are dispatched in any order, while others are dispatched between their steps."""

    kind: type[DispatchService]
    chance: random.Random
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    pending: list[ObjectEvent] = field(default_factory=list)
    number: int = 0
    depth: int = 0

    def change(self) -> None:
        """A file is put or deleted, and its event is on its way."""
        key = self.chance.choice([KEY, SIDECAR, SIDECAR])
        self.number += 1
        kind = ObjectEventKind.CREATED
        if self.chance.random() < 0.2:
            version_id = self.bucket.delete(key.object_key)
            kind = ObjectEventKind.DELETE_MARKER
        else:
            data = b"text" if key is KEY else self.chance.choice(GROUPS)
            version_id = self.bucket.put(key.object_key, data)
        sequencer = padded_sequencer(f"{self.number:016X}")
        self.pending.append(ObjectEvent(kind=kind, key=key, sequencer=sequencer, version_id=version_id))

    def put(self, key: DocumentKey, data: bytes, number: int, **headers: str) -> ObjectEvent:
        """A file is put; its event."""
        version_id = self.bucket.put(key.object_key, data, **headers)
        return ObjectEvent(
            kind=ObjectEventKind.CREATED,
            key=key,
            sequencer=padded_sequencer(f"{number:016X}"),
            version_id=version_id,
        )

    def dispatch(self) -> None:
        """Any event, which may come again; between its steps others are dispatched."""
        event = self.chance.choice(self.pending)
        if self.chance.random() < 0.7:
            self.pending.remove(event)
        service = self.kind(
            ledger=_Interrupted(self.ledger, self),  # type: ignore[arg-type]
            objects=_Interrupted(self.bucket, self),  # type: ignore[arg-type]
            lanes=MemoryLanes(),
            telemetry=RecordedTelemetry(),
            interactive_open_limit=50,
            interactive_max_bytes=1_000,
            metadata=ObjectMetadata(tags=MemoryTags(), files=Files(self.bucket)),
        )
        self.depth += 1
        try:
            service.dispatch(event)
        except StoreUnavailable:
            # Others claimed in between all the time: the queue brings it again.
            self.pending.append(event)
        finally:
            self.depth -= 1


@dataclass
class _Interrupted:
    """Calls through; before each call perhaps a file changes, and another event is dispatched."""

    target: object
    world: World

    def __getattr__(self, name: str) -> object:
        if self.world.depth < 2 and self.world.pending and self.world.chance.random() < 0.3:
            if self.world.number < 12:
                self.world.change()
            self.world.dispatch()
        return getattr(self.target, name)


def claims_what_the_files_say(kind: type[DispatchService], seed: int) -> None:
    """The check: with every event dispatched, the claimed groups are those of the newest readable files."""
    world = World(kind, random.Random(seed))
    for _ in range(8):
        world.change()
        if world.chance.random() < 0.5:
            world.dispatch()
    while world.pending:
        world.dispatch()

    row = world.ledger.get("acme", KEY.document_id)
    if world.bucket.current(KEY.object_key) is None:
        return
    sidecar = Files(world.bucket).read(SIDECAR.object_key, max_bytes=100)
    assert row is not None
    if sidecar != b"broken":
        wanted = {b'{"access_groups": ["hr"]}': {"hr"}, b'{"access_groups": ["legal"]}': {"legal"}}
        assert row.claimed_groups == wanted.get(sidecar or b"", set())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_claims_are_of_the_newest_sidecar(seed: int) -> None:
    claims_what_the_files_say(DispatchService, seed)


class _ClaimsWhateverItSaw(DispatchService):
    """Claims without asking whether somebody claimed since it looked."""

    def _claim(self, event, seen):  # type: ignore[no-untyped-def]
        version = self._look(event)
        groups, _ = self._terms(event.key, version)
        version_id = version.version_id if version else ""
        return self.ledger.claim(event, version_id, lane=self._lane(event.key, version), groups=groups)


class _IgnoresSidecarEvents(DispatchService):
    """Reads sidecars only when their document comes."""

    def _dispatch_sidecar(self, event: ObjectEvent) -> None:
        """Nothing."""


@dataclass
class _AtTheLane(MemoryLedger):
    """Lets something happen once, after object and metadata were looked at and before the claim."""

    happens: Callable[[], None] = lambda: None

    def open_count(self, tenant: str, lane: Lane, limit: int) -> int:
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().open_count(tenant, lane, limit)


def an_older_look_undoes_nothing(kind: type[DispatchService]) -> None:
    """The check: a sidecar is put and dispatched between the look of the document's event and its claim."""
    ledger = _AtTheLane()
    world = World(kind, random.Random(0), ledger=ledger, depth=9)

    def sidecar_comes() -> None:
        world.pending = [world.put(SIDECAR, GROUPS[0], 2)]
        world.dispatch()

    ledger.happens = sidecar_comes
    world.pending = [world.put(KEY, b"text", 3)]
    world.dispatch()

    (row,) = ledger.rows.values()
    assert row.claimed_groups == {"hr"}


def test_an_older_look_undoes_nothing() -> None:
    an_older_look_undoes_nothing(DispatchService)


@pytest.mark.parametrize("broken", [_ClaimsWhateverItSaw, _IgnoresSidecarEvents])
def test_a_dispatcher_that_undoes_newer_claims_fails_the_same_check(broken: type[DispatchService]) -> None:
    with pytest.raises(AssertionError):
        an_older_look_undoes_nothing(broken)


def dispatched(*files: tuple[DocumentKey, bytes]) -> MemoryLedger:
    world = World(DispatchService, random.Random(0), depth=9)
    for number, (key, data) in enumerate(files, start=1):
        world.pending = [world.put(key, data, number)]
        world.dispatch()
    return world.ledger


def test_a_sidecar_is_no_document_and_an_orphan_claims_nothing() -> None:
    ledger = dispatched((SIDECAR, b'{"access_groups": ["hr"]}'))

    assert ledger.rows == {}


def test_a_sidecar_that_comes_later_narrows_at_once_and_claims_anew() -> None:
    ledger = dispatched((KEY, b"text"), (SIDECAR, b'{"access_groups": ["hr"], "expires_at": "2027-01-01"}'))

    (row,) = ledger.rows.values()
    assert (row.revision, row.state, row.claimed_groups) == (2, DocumentState.RECEIVED, frozenset({"hr"}))
    assert row.expires_at == 1_798_761_600


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b'{"acces_groups": ["hr"]}', b'{"access_groups": "hr"}']
)
def test_a_broken_sidecar_opens_nothing(data: bytes) -> None:
    ledger = dispatched((KEY, b"text"), (SIDECAR, b'{"access_groups": ["hr"]}'), (SIDECAR, data))

    (row,) = ledger.rows.values()
    assert (row.revision, row.claimed_groups) == (3, frozenset({"hr"}))
