"""Receipts of deletions say `verified` of what was seen to be gone, and of nothing else."""

from dataclasses import dataclass, field

import pytest
from haylift.domain.documents import DocumentKey, DocumentRecord, DocumentState, Lane
from haylift.domain.errors import LegalHold
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.domain.receipts import Receipt
from haylift.services.erasure import ErasureService

from tests.fakes.bucket import MemoryBucket
from tests.fakes.erasure import MemoryErasableTexts, MemoryReceipts, MemoryVersions
from tests.fakes.ingestion import MemoryLedger

KEY = DocumentKey("acme", "plan.md")
COPY, REASON = "quarantine/acme/plan.md", "quarantine/acme/plan.md.reason.json"
SIDECAR = "documents/acme/plan.md.metadata.json"


@dataclass
class World:
    """A document, its file, and a worker that is called by hand."""

    kind: type[ErasureService] = ErasureService
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    texts: MemoryErasableTexts = field(default_factory=MemoryErasableTexts)
    count: int = 0

    def __post_init__(self) -> None:
        self.versions = MemoryVersions(self.bucket)
        self.service = self.kind(
            ledger=self.ledger,
            tenants=self.ledger.tenants,
            objects=self.bucket,
            versions=self.versions,
            texts=self.texts,
            receipts=MemoryReceipts(),
            now=self.ledger.clock.now,
            new_id=lambda: f"{self.count:032x}",
        )

    def upload(self) -> DocumentRecord:
        """A new version, made searchable."""
        version_id = self.bucket.put(KEY.object_key, b"text")
        self.work(self.claim(ObjectEventKind.CREATED, version_id), DocumentState.SEARCHABLE)
        self.texts.revisions.setdefault(("acme", KEY.document_id), set()).add(self.row.revision)
        return self.row

    def claim(self, kind: ObjectEventKind, version_id: str) -> DocumentRecord:
        """What dispatch does with the event of that version or delete marker."""
        self.count += 1
        event = ObjectEvent(kind=kind, key=KEY, sequencer=f"{self.count:064d}", version_id=version_id)
        live = version_id if kind is ObjectEventKind.CREATED else ""
        return self.ledger.claim(event, live, lane=Lane.INTERACTIVE).record

    def work(self, claimed: DocumentRecord, state: DocumentState) -> None:
        """What the ingestion does with the claim."""
        row = self.ledger.take_lease("acme", KEY.document_id, claimed.revision, f"w{self.count}", 60.0)
        self.ledger.activate(row, live_revision=row.revision if state is DocumentState.SEARCHABLE else 0)
        self.ledger.finish(self.row, state)

    def carry_out(self, receipt: Receipt) -> None:
        """The deletion of the receipt, from its event to the tombstone."""
        self.work(self.claim(ObjectEventKind.DELETE_MARKER, receipt.marker_version_id), DocumentState.DELETED)

    @property
    def row(self) -> DocumentRecord:
        row = self.ledger.get("acme", KEY.document_id)
        assert row is not None
        return row

    def begin(self, *, purge: bool = False) -> Receipt:
        return self.service.begin(self.row, purge=purge, requested_by="ada")

    def is_verified(self, receipt: Receipt) -> bool:
        kept = self.service.receipts.get("acme", receipt.receipt_id)
        assert kept is not None
        return self.service.look(kept).is_verified


def is_verified_after_the_tombstone_only(kind: type[ErasureService]) -> None:
    world = World(kind)
    world.upload()
    receipt = world.begin()

    assert not world.is_verified(receipt)
    claimed = world.claim(ObjectEventKind.DELETE_MARKER, receipt.marker_version_id)
    world.ledger.clock.advance(60)
    assert not world.is_verified(receipt)
    world.work(claimed, DocumentState.DELETED)
    assert not world.is_verified(receipt), "an answer of an older epoch may still be believed for 10 s"
    world.ledger.clock.advance(11)
    assert world.is_verified(receipt)


def test_a_receipt_is_verified_after_the_tombstone_only() -> None:
    is_verified_after_the_tombstone_only(ErasureService)


class _ForgetsTheCaches(ErasureService):
    def _is_uncached(self, receipt: Receipt, row: DocumentRecord | None) -> bool:
        return True


class _BelievesTheState(_ForgetsTheCaches):
    """Takes a document that is on its way out for one that is gone."""

    def _is_erased(self, receipt: Receipt, row: DocumentRecord) -> bool:
        return row.state is not DocumentState.SEARCHABLE


@pytest.mark.parametrize("broken", [_BelievesTheState, _ForgetsTheCaches])
def test_a_service_that_believes_too_early_fails_the_same_check(broken: type[ErasureService]) -> None:
    with pytest.raises(AssertionError):
        is_verified_after_the_tombstone_only(broken)


def test_an_earlier_deletion_verifies_no_later_receipt() -> None:
    world = World()
    world.upload()
    first = world.begin()
    claimed = world.claim(ObjectEventKind.DELETE_MARKER, first.marker_version_id)
    world.upload()
    second = world.begin()
    world.ledger.clock.advance(60)

    assert claimed.revision < second.revision
    assert not world.is_verified(second)
    world.carry_out(second)
    world.ledger.clock.advance(60)
    assert world.is_verified(second)
    assert world.is_verified(first), "the newer deletion carried out the older one too"


def test_a_new_upload_is_said_and_takes_no_verdict_back() -> None:
    world = World()
    world.upload()
    receipt = world.begin()
    world.carry_out(receipt)
    world.ledger.clock.advance(60)
    assert world.is_verified(receipt)

    world.upload()

    kept = world.service.receipts.get("acme", receipt.receipt_id)
    assert kept is not None
    state = world.service.look(kept)
    assert (state.is_verified, state.uploaded_again) == (True, True)


def test_a_new_upload_before_the_deletion_was_carried_out_leaves_it_unverified() -> None:
    world = World()
    world.upload()
    receipt = world.begin()
    world.upload()
    world.ledger.clock.advance(60)

    state = world.service.look(receipt)

    assert (state.is_verified, state.uploaded_again) == (False, True)
    assert world.row.state is DocumentState.SEARCHABLE


def a_purge_leaves_nothing(kind: type[ErasureService]) -> None:
    world = World(kind)
    world.upload()
    world.upload()
    for key in (COPY, REASON, SIDECAR):
        world.bucket.put(key, b"of it")
    receipt = world.begin(purge=True)
    world.carry_out(receipt)
    # A worker that was slow wrote it after the purge.
    world.bucket.put(COPY, b"late")
    world.ledger.clock.advance(60)

    assert world.is_verified(receipt)
    assert {key: kept for key, kept in world.bucket.versions.items() if kept} == {}
    assert world.texts.revisions == {("acme", KEY.document_id): set()}


def test_a_purge_leaves_nothing() -> None:
    a_purge_leaves_nothing(ErasureService)


class _PurgesOnce(ErasureService):
    """Looks only at the file itself when the receipt is read."""

    def _copies(self, receipt: Receipt) -> list[object]:  # type: ignore[override]
        return []


def test_a_purge_that_forgets_copies_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_purge_leaves_nothing(_PurgesOnce)


def test_a_purge_spares_a_new_upload() -> None:
    world = World()
    world.upload()
    receipt = world.begin(purge=True)
    world.carry_out(receipt)
    newer = world.upload()
    world.ledger.clock.advance(60)

    world.service.look(receipt)

    assert [version.version_id for version in world.bucket.versions[KEY.object_key]] == [newer.version_id]
    assert world.texts.revisions == {("acme", KEY.document_id): {newer.revision}}


def test_a_held_version_refuses_the_purge_and_nothing_is_done() -> None:
    world = World()
    held = world.upload().version_id
    world.upload()
    world.versions.held.add(held)

    with pytest.raises(LegalHold):
        world.begin(purge=True)

    assert world.bucket.current(KEY.object_key) is not None
    assert world.service.receipts.get("acme", f"{world.count:032x}") is None
    world.carry_out(world.begin())
    assert world.row.state is DocumentState.DELETED


def test_a_hold_that_comes_later_leaves_the_purge_unverified() -> None:
    world = World()
    world.upload()
    world.versions.held.add("copy")
    receipt = world.begin(purge=True)
    world.bucket.put(COPY, b"late")
    world.versions.held.add(world.bucket.versions[COPY][-1].version_id)
    world.carry_out(receipt)
    world.ledger.clock.advance(60)

    state = world.service.look(receipt)

    assert (state.is_verified, state.checks.quarantine, state.checks.versions) == (False, False, True)
