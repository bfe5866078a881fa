"""A revision is found whole and by its readers only, whatever was written or claimed meanwhile."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from haylift.domain.documents import LiveRevision
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LiveRevisions
from haylift.services.live_index import LiveIndex

from tests.contract.index.chunks import ACME, embedded, everything, ids
from tests.fakes.index import InMemoryIndex, InMemoryLiveRevisions


def a_revision_is_found_whole(reader: Callable[[DocumentIndex, LiveRevisions], LiveIndex]) -> None:
    """The index shows half of a new document; it is finished and made live before the ledger is read."""
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions()
    index.write("acme", "g1", [embedded("a", "first half", document_id="d")])

    class Finishing:
        def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
            index.write("acme", "g1", [embedded("b", "second half", document_id="d")])
            document_id = next(iter(document_ids))
            revisions.revisions["acme", document_id] = 1
            revisions.since["acme", document_id] = 1_000.0
            return revisions.live_revisions(tenant, document_ids)

    assert sorted(ids(reader(index, Finishing()).retrieve(everything(), ACME, "g1"))) == ["a", "b"]


def test_a_revision_that_was_made_live_during_the_read_is_found_whole() -> None:
    a_revision_is_found_whole(lambda index, revisions: LiveIndex(index, revisions, now=lambda: 1_000.5))


def test_a_reader_that_trusts_its_first_look_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_revision_is_found_whole(lambda index, revisions: LiveIndex(index, revisions, now=lambda: 2_000.0))


def test_a_revision_that_has_been_live_for_a_while_is_read_once() -> None:
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions()
    index.write("acme", "g1", [embedded("a", "text", revision=1)])
    document_id = index.stored["acme", "g1"]["a"].chunk.document_id
    revisions.revisions["acme", document_id] = 1
    revisions.since["acme", document_id] = 1_000.0

    LiveIndex(index, revisions, now=lambda: 1_010.0).retrieve(everything(), ACME, "g1")

    assert revisions.reads == 1


def a_tightened_document_is_found_by_its_new_readers_only(
    reader: Callable[[DocumentIndex, LiveRevisions], LiveIndex],
) -> None:
    """Open in the index; a newer version, not indexed yet, is for a group alone."""
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions({("acme", "open"): 1, ("acme", "board"): 1})
    index.write("acme", "g1", [embedded(name, "words", document_id=name) for name in ("open", "board")])
    revisions.groups["acme", "board"] = frozenset({"board", "hr"})

    def found(*groups: str) -> list[list[str]]:
        scope = Scope(tenant="acme", groups=frozenset(groups))
        legs = reader(index, revisions).retrieve(replace(everything(), text="words"), scope, "g1")
        return [sorted(hit.chunk.chunk_id for hit in hits) for hits in (legs.keyword, legs.semantic)]

    assert found("hr", "staff") == [["board", "open"]] * 2
    assert found("staff") == [["open"]] * 2
    assert found() == [["open"]] * 2


def test_a_tightened_document_is_found_by_its_new_readers_only() -> None:
    a_tightened_document_is_found_by_its_new_readers_only(LiveIndex)


class _KnowsNoClaims:
    """The fault: live revisions without the groups of what waits."""

    def __init__(self, revisions: LiveRevisions) -> None:
        self._revisions = revisions

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        found = self._revisions.live_revisions(tenant, document_ids)
        return {name: LiveRevision(live, live.since) for name, live in found.items()}


def test_a_reader_that_knows_the_index_groups_alone_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_tightened_document_is_found_by_its_new_readers_only(
            lambda index, revisions: LiveIndex(index, _KnowsNoClaims(revisions))
        )
