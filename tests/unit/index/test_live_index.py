"""A document under replacement is found in exactly one version, however reads and writes interleave.

The model: a writer replaces a document revision by revision in the steps that ingestion takes, and
the scheduler puts any number of its steps before each of the reader's reads.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Legs
from haylift.domain.documents import LiveRevision
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery, LiveRevisions, TenantCount
from haylift.services.live_index import LiveIndex
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.index.chunks import ACME, embedded, everything, ids
from tests.fakes.index import InMemoryIndex, InMemoryLiveRevisions

MakeReader = Callable[[DocumentIndex, LiveRevisions], "Reader"]


class Reader:
    """What is checked: an index's reading side."""

    def __init__(self, index: DocumentIndex, revisions: LiveRevisions) -> None:
        self.index = LiveIndex(index, revisions)

    def found(self) -> list[str]:
        return ids(self.index.retrieve(everything(depth=10), ACME, "g1"))


class ReaderWithoutSecondLook(Reader):
    """The fault: hits of replaced revisions are dropped and not looked for again."""

    def __init__(self, index: DocumentIndex, revisions: LiveRevisions) -> None:
        super().__init__(index, revisions)
        self.plain, self.revisions = index, revisions

    def found(self) -> list[str]:
        hits = self.plain.retrieve(everything(depth=20), ACME, "g1").semantic
        live = self.revisions.live_revisions("acme", {hit.chunk.document_id for hit in hits})
        return [hit.chunk.chunk_id for hit in hits if live.get(hit.chunk.document_id) == hit.chunk.revision]


class ReaderWithoutFilter(Reader):
    """The fault: whatever the index holds is shown."""

    def __init__(self, index: DocumentIndex, revisions: LiveRevisions) -> None:
        super().__init__(index, revisions)
        self.plain = index

    def found(self) -> list[str]:
        return ids(self.plain.retrieve(everything(depth=20), ACME, "g1"))


@dataclass
class Interleaving:
    """Lets the writer take its next steps before each read of the index and of the ledger."""

    steps_before_reads: list[int]
    documents: int
    index: InMemoryIndex = field(default_factory=InMemoryIndex)
    revisions: InMemoryLiveRevisions = field(default_factory=InMemoryLiveRevisions)

    def __post_init__(self) -> None:
        for number in range(self.documents):
            self._write(f"d{number}", 1)
            self.revisions.revisions["acme", f"d{number}"] = 1
        self._writer = self._replacements()

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        self._before_read()
        return self.index.retrieve(query, scope, generation)

    def live_revisions(self, tenant: str, document_ids: Iterable[str]) -> Mapping[str, LiveRevision]:
        self._before_read()
        return self.revisions.live_revisions(tenant, document_ids)

    def _before_read(self) -> None:
        for _ in range(self.steps_before_reads.pop(0) if self.steps_before_reads else 0):
            next(self._writer, None)

    def _replacements(self) -> Iterator[None]:
        """Revision 2 and 3 of each document: write, make live, remove the old one."""
        for revision in (2, 3):
            for number in range(self.documents):
                self._write(f"d{number}", revision)
                yield
                self.revisions.revisions["acme", f"d{number}"] = revision
                yield
                self.index.remove("acme", "g1", f"d{number}", keep_revision=revision)
                yield

    def _write(self, name: str, revision: int) -> None:
        self.index.write("acme", "g1", [embedded(f"{name}-{revision}", document_id=name, revision=revision)])


def check_exactly_one_version(make: MakeReader) -> None:
    @settings(max_examples=300, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(steps=st.lists(st.integers(0, 6), max_size=4), documents=st.integers(1, 3))
    def check(steps: list[int], documents: int) -> None:
        world = Interleaving(steps, documents)

        found = make(world, world).found()  # type: ignore[arg-type]  # the reading side of both ports

        assert sorted(chunk_id.partition("-")[0] for chunk_id in found) == [
            f"d{number}" for number in range(documents)
        ]

    check()


def test_exactly_one_version_is_found() -> None:
    check_exactly_one_version(Reader)


@pytest.mark.parametrize("faulty", [ReaderWithoutSecondLook, ReaderWithoutFilter])
def test_a_faulty_reader_is_noticed(faulty: MakeReader) -> None:
    with pytest.raises(AssertionError):
        check_exactly_one_version(faulty)


def test_what_is_not_live_is_not_found_and_leaves_no_gap_in_ranks() -> None:
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions({("acme", "b"): 2, ("acme", "c"): 1})
    index.write(
        "acme",
        "g1",
        [
            embedded("a", document_id="a", vector=(1.0, 0.0)),
            embedded("b", document_id="b", revision=2, vector=(0.8, 0.6)),
            embedded("c", document_id="c", vector=(0.6, 0.8)),
        ],
    )

    legs = LiveIndex(index, revisions).retrieve(
        replace(everything(depth=2), text="words"), Scope(tenant="acme"), "g1"
    )

    assert [(hit.chunk.chunk_id, hit.semantic_rank) for hit in legs.semantic] == [("b", 1), ("c", 2)]
    assert [(hit.chunk.chunk_id, hit.keyword_rank) for hit in legs.keyword] == [("b", 1), ("c", 2)]


def test_one_ledger_read_serves_both_legs() -> None:
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions({("acme", "a"): 1})
    index.write("acme", "g1", [embedded("a", document_id="a")])

    LiveIndex(index, revisions).retrieve(replace(everything(), text="words"), ACME, "g1")

    assert revisions.reads == 1


def test_left_over_chunks_cost_one_more_read_and_no_hit() -> None:
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions({("acme", "a"): 2})
    index.write(
        "acme", "g1", [embedded("a-1", document_id="a"), embedded("a-2", document_id="a", revision=2)]
    )

    found = ids(LiveIndex(index, revisions).retrieve(everything(), ACME, "g1"))

    assert found == ["a-2"]
    assert revisions.reads == 2


def test_many_dead_chunks_do_not_crowd_out_the_live_one() -> None:
    index, revisions = InMemoryIndex(), InMemoryLiveRevisions({("acme", "live"): 1})
    dead = [embedded(f"dead{number}", vector=(1.0, 0.0)) for number in range(7)]
    index.write("acme", "g1", [*dead, embedded("live", document_id="live", vector=(0.0, 1.0))])

    found = ids(LiveIndex(index, revisions).retrieve(everything(depth=1), ACME, "g1"))

    assert found == ["live"]


def test_what_is_stored_is_told_whether_live_or_not() -> None:
    index = InMemoryIndex()
    live = LiveIndex(index, InMemoryLiveRevisions())
    live.write("acme", "g1", [embedded("a", document_id="a", revision=2)])

    assert live.stored_chunk_ids("acme", "g1", "a", revision=2) == {"a"}


def test_nothing_found_asks_the_ledger_nothing() -> None:
    revisions = InMemoryLiveRevisions()

    assert LiveIndex(InMemoryIndex(), revisions).retrieve(everything(), ACME, "g1") == Legs()
    assert revisions.reads == 0


def reader_of_a_lost_index(count_of: Callable[[str], TenantCount | None], folder: Path) -> LiveIndex:
    """A reader of an index that was there and is gone."""
    store = SqliteIndex(folder / "index")
    store.write("acme", "g1", [embedded("a", document_id="a")])
    store.close()
    shutil.rmtree(folder / "index" / "acme")
    return LiveIndex(store, InMemoryLiveRevisions({("acme", "a"): 1}), count_of)


def is_truthful(make: Callable[[], LiveIndex]) -> bool:
    """Whether a lost index is said to be lost, and not to hold nothing."""
    try:
        make().retrieve(everything(), ACME, "g1")
    except IndexUnavailable:
        return True
    return False


def test_a_lost_index_does_not_pass_for_an_empty_one(tmp_path: Path) -> None:
    def count_of(tenant: str) -> TenantCount:
        return TenantCount(tenant=tenant, generation="g1", documents=1)

    assert is_truthful(lambda: reader_of_a_lost_index(count_of, tmp_path))


def test_a_reader_that_counts_nothing_would_be_seen(tmp_path: Path) -> None:
    assert not is_truthful(lambda: reader_of_a_lost_index(lambda _: None, tmp_path))


def test_a_tenant_without_documents_finds_nothing() -> None:
    index = LiveIndex(
        InMemoryIndex(),
        InMemoryLiveRevisions(),
        lambda tenant: TenantCount(tenant=tenant, generation="g1", documents=0),
    )

    assert index.retrieve(everything(), ACME, "g1") == Legs()
