"""Rejected files are set aside with their reason, and only as long as they are the last word."""

from pathlib import Path

import pytest
from haylift.domain.documents import DocumentKey, DocumentState
from haylift.domain.quarantine import QUARANTINE_PREFIX, QuarantineKeys
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import Attempt
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingestion.world import KEY, Killed, World

COPY = "quarantine/acme/a.md"
REASON = "quarantine/acme/a.md.reason.json"


def aside_equals_ledger(world: World) -> None:
    """The one promise: the quarantine holds the rejected version, and nothing of any other document."""
    row = world.row()
    assert row is not None
    aside = world.bucket.seen_aside()
    if row.state is not DocumentState.REJECTED:
        assert aside == {}
        assert row.quarantine_key == ""
        return
    assert set(aside) == {COPY, REASON}
    assert row.quarantine_key == COPY
    assert aside[COPY] == world.bucket.bytes_of(KEY, row.version_id)
    said = aside[REASON]
    assert isinstance(said, dict)
    assert (said["version_id"], said["reason"], said["state"]) == (row.version_id, row.reason, "REJECTED")


def test_a_rejected_file_is_copied_with_its_reason() -> None:
    world = World()
    version_id = world.bucket.put(KEY, b"one\nbad")

    world.settle()

    aside = world.bucket.seen_aside()
    assert aside[COPY] == b"one\nbad"
    assert aside[REASON] == {
        "state": "REJECTED",
        "reason": "damaged",
        "detail": "The file is bad.",
        "tenant": "acme",
        "document_id": DocumentKey.parse(KEY).document_id,
        "key": KEY,
        "version_id": version_id,
        "size_bytes": 7,
        "content_type": "",
        "revision": 1,
        "rejected_at": "2027-01-15T08:02:31.000+00:00",
        "request_id": "",
    }
    aside_equals_ledger(world)


@pytest.mark.parametrize("later", [b"good", b"bad\nagain", None])
def test_the_last_version_decides_what_lies_aside(later: bytes | None) -> None:
    world = World()
    world.bucket.put(KEY, b"bad")
    world.settle()

    if later is None:
        world.bucket.delete(KEY)
    else:
        world.bucket.put(KEY, later)
    world.settle()

    aside_equals_ledger(world)


def killed_after_each_effect(worker: type[IngestService]) -> None:
    """A worker dies after any effect of a rejection, then of what follows; the promise holds in the end."""
    for second in (b"good", None):
        for count in range(1, 32):
            world = World(worker=worker)
            left = count

            def after(_: str) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise Killed

            world.bucket.put(KEY, b"bad")
            world.after = after
            for is_second in (False, True):
                if is_second:
                    put_or_delete(world, second)
                bodies = list(world.bucket.bodies)
                try:
                    world.settle()
                except Killed:
                    world.bucket.bodies = bodies
                    world.settle()
            aside_equals_ledger(world)


def put_or_delete(world: World, data: bytes | None) -> None:
    world.bucket.delete(KEY) if data is None else world.bucket.put(KEY, data)


def test_a_death_at_any_point_leaves_the_quarantine_right() -> None:
    killed_after_each_effect(IngestService)


class CopiesLast(Attempt):
    """Says REJECTED first and copies then: a death between leaves a verdict without its file."""

    def _reject(self, version, verdict):  # type: ignore[no-untyped-def]
        self._hide(reason=verdict.reason)
        self._conclude(DocumentState.REJECTED, keep_revision=0)
        self._parts.objects.set_aside(self._key, version, {"reason": verdict.reason})


class CopiesLastService(IngestService):
    """A worker of that design."""

    def _attempt(self, record, deadline):  # type: ignore[no-untyped-def]
        return CopiesLast(self.parts, record, deadline)


def test_a_copy_after_the_verdict_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        killed_after_each_effect(CopiesLastService)


def test_a_worker_that_comes_too_late_takes_its_copy_back() -> None:
    world = World()
    world.bucket.put(KEY, b"bad")
    overtaken = False

    def after(name: str) -> None:
        nonlocal overtaken
        if name == "set_aside" and not overtaken:
            overtaken = True
            world.bucket.put(KEY, b"good")
            world.settle()

    world.after = after
    world.settle()

    assert overtaken
    row = world.row()
    assert row is not None
    assert row.state is DocumentState.SEARCHABLE
    aside_equals_ledger(world)


PATHS = st.lists(
    st.sampled_from(["a", "é", "/", ".reason.json", ".document", "~", "x" * 500]), min_size=1, max_size=6
).map("".join)


@given(PATHS, PATHS)
def test_no_two_documents_share_a_place(one: str, other: str) -> None:
    first, second = (QuarantineKeys.of(DocumentKey("acme", path[-900:])) for path in (one, other))

    keys = [first.copy, first.reason, second.copy, second.reason]
    assert all(key.startswith(QUARANTINE_PREFIX) and len(key.encode()) <= 1_024 for key in keys)
    assert len(set(keys)) == (2 if one[-900:] == other[-900:] else 4)


def test_a_file_named_as_a_reason_takes_nobodys_place() -> None:
    assert QuarantineKeys.of(DocumentKey("acme", "a.md.reason.json")).copy == f"{REASON}.document"
    assert Path(QuarantineKeys.of(DocumentKey("acme", "a.md")).reason).name == "a.md.reason.json"
