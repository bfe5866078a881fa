"""Filters mean the same to every index, and never widen what a scope may see."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.filters import Filter, parse_filter
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.index.chunks import embedded, everything
from tests.fakes.index import InMemoryIndex, matches


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Callable[[], SqliteIndex]]:
    """Makes empty indexes; the one before is closed."""
    made: list[SqliteIndex] = []

    def make() -> SqliteIndex:
        for index in made[-1:]:
            index.close()
        made.append(SqliteIndex(tmp_path / str(len(made))))
        return made[-1]

    yield make
    for index in made[-1:]:
        index.close()


TEXTS = ["a", "b", "", "1", "true", "ü", "x\x00y", "x", "\ud800", "A", "'", "long" * 40]
DATES = ["2026-01-01", "2026-01-01T02:00:00+02:00", "2025-12-31T23:59:59.999999Z", "0001-01-01", "2026-W01-1"]
NUMBERS = [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63) + 1, 0.1, 1.0, 0.5, 1e-300, -0.0, 5e-324, 1e18]
PHASES = [Phase.generate]  # no shrinking: the twins fail on purpose, and a failure prints its example
NAMES = ["lang", "tags", "absent"]
FIELDS = [
    "meta.lang",
    "meta.tags",
    "meta.lang",
    "meta.tags",
    "meta.absent",
    "document_id",
    "key",
    "title",
    "page",
    "text",
]

# Few and easily confused values, so that fields and filters meet often; the rest for the edges.
hot = st.sampled_from([1, True, 0, False, "1", "a", 1.0, *DATES[:2]])
scalars = hot | hot | st.sampled_from([*TEXTS, *DATES, *NUMBERS, True, False]) | st.floats(-1e6, 1e6)
ordered = st.sampled_from([*DATES, *NUMBERS])
lists = st.lists(st.sampled_from(["a", "1", *TEXTS, *DATES]), max_size=3)
metas = st.dictionaries(st.sampled_from(NAMES[:2]), scalars | scalars | lists, min_size=1, max_size=2)
groups = st.frozensets(st.sampled_from(["staff", "on-call", "\ud800"]), max_size=2)

comparisons = st.one_of(
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(FIELDS),
        st.sampled_from(["==", "!="]),
        scalars | st.none() | st.sampled_from(["d0", "d1", "text 0", 3]),
    ),
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(FIELDS),
        st.sampled_from([">", ">=", "<", "<="]),
        ordered,
    ),
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(FIELDS),
        st.sampled_from(["in", "not in"]),
        st.lists(scalars, max_size=4),
    ),
)
filters = st.recursive(
    comparisons,
    lambda inner: st.builds(
        lambda operator, conditions: {"operator": operator, "conditions": conditions},
        st.sampled_from(["AND", "OR", "NOT"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
).map(parse_filter)


@st.composite
def corpora(draw: st.DrawFn) -> list[EmbeddedChunk]:
    chunks = []
    for number in range(draw(st.integers(1, 6))):
        plain = embedded(f"c{number}")
        chunk = Chunk(
            chunk_id=f"c{number}",
            document_id=f"d{number}",
            key=f"documents/acme/{number}.md",
            revision=1,
            ordinal=0,
            title=draw(st.sampled_from(["a", "2026-01-01", ""])),
            text=draw(st.sampled_from([f"text {number}", "long" * 40])),
            page=draw(st.none() | st.integers(1, 3)),
            access_groups=draw(groups),
            meta=draw(metas),
        )
        chunks.append(EmbeddedChunk(chunk=chunk, vector=plain.vector))
    return chunks


def found(index: DocumentIndex, filters: Filter | None, scope: Scope) -> list[str]:
    query = everything()
    asked = LegQuery(text=None, vector=query.vector, depth=query.depth, filters=filters)
    return [hit.chunk.chunk_id for hit in index.retrieve(asked, scope, "g1").semantic]


def check_filters_as_the_oracle_does(make: Callable[[], DocumentIndex], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
    )
    @given(
        chunks=corpora(),
        chosen=st.lists(filters | comparisons.map(parse_filter), min_size=3, max_size=6),
        caller=groups,
    )
    def check(chunks: list[EmbeddedChunk], chosen: list[Filter | None], caller: frozenset[str]) -> None:
        oracle = InMemoryIndex()
        oracle.write("acme", "g1", chunks)
        index = make()
        index.write("acme", "g1", chunks)
        scope = Scope(tenant="acme", groups=caller)

        answers = [found(index, each, scope) for each in chosen]

        assert answers == [found(oracle, each, scope) for each in chosen]

    check()


class BoolIsInt(InMemoryIndex):
    """The fault: flags are compared as numbers, as a store does that keeps both in one column."""

    def may_see(self, chunk: Chunk, filters: Filter | None, scope: Scope) -> bool:
        meta = {name: int(value) if value is True else value for name, value in chunk.meta.items()}
        return super().may_see(replace(chunk, meta=meta), filters, scope)


def test_sqlite_filters_as_the_oracle_does(sqlite: Callable[[], SqliteIndex]) -> None:
    check_filters_as_the_oracle_does(sqlite, 300)


def test_a_store_where_bool_is_int_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_filters_as_the_oracle_does(BoolIsInt, 300)


def check_groups_hold(make: Callable[[], DocumentIndex], examples: int) -> None:
    """Whatever the filter says, nobody sees another tenant's chunks or those of others' groups."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
    )
    @given(chunks=corpora(), chosen=filters, caller=groups)
    def check(chunks: list[EmbeddedChunk], chosen: Filter | None, caller: frozenset[str]) -> None:
        index = make()
        index.write("acme", "g1", chunks)
        index.write("other", "g1", [embedded("foreign")])

        answer = found(index, chosen, Scope(tenant="acme", groups=caller))

        readable = [
            each.chunk.chunk_id
            for each in chunks
            if not each.chunk.access_groups or each.chunk.access_groups & caller
        ]
        assert set(answer) <= set(readable)

    check()


class GroupsInsideAnOr(InMemoryIndex):
    """The fault: the rights are one more alternative of the filter and not a conjunct around it."""

    def may_see(self, chunk: Chunk, filters: Filter | None, scope: Scope) -> bool:
        may_read = not chunk.access_groups or bool(chunk.access_groups & scope.groups)
        return may_read or (filters is not None and matches(chunk, filters))


def test_a_filter_never_widens_a_scope(sqlite: Callable[[], SqliteIndex]) -> None:
    check_groups_hold(sqlite, 100)


def test_the_oracle_never_widens_a_scope() -> None:
    check_groups_hold(InMemoryIndex, 100)


def test_groups_inside_an_or_are_noticed() -> None:
    with pytest.raises(AssertionError):
        check_groups_hold(GroupsInsideAnOr, 100)


MEANINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({"operator": "AND", "conditions": []}, ["flag", "list", "number", "plain"]),
    ({"operator": "OR", "conditions": []}, []),
    ({"operator": "NOT", "conditions": []}, []),
    ({"field": "meta.x", "operator": "==", "value": 1}, ["number"]),
    ({"field": "meta.x", "operator": "==", "value": 1.0}, ["number"]),
    ({"field": "meta.x", "operator": "==", "value": True}, ["flag"]),
    ({"field": "meta.x", "operator": "==", "value": "b"}, ["list"]),
    ({"field": "meta.x", "operator": "!=", "value": "b"}, ["flag", "number", "plain"]),
    ({"field": "meta.x", "operator": "==", "value": None}, ["plain"]),
    ({"field": "meta.x", "operator": "!=", "value": None}, ["flag", "list", "number"]),
    ({"field": "meta.x", "operator": "in", "value": []}, []),
    ({"field": "meta.x", "operator": "not in", "value": [1, "a"]}, ["flag", "plain"]),
    ({"field": "meta.x", "operator": ">", "value": 0}, ["number"]),
    ({"field": "meta.when", "operator": ">=", "value": "2026-01-01T00:00:00Z"}, ["plain"]),
    ({"field": "meta.when", "operator": ">", "value": "2026-01-01T00:00:00Z"}, []),
]


@pytest.mark.parametrize(("raw", "expected"), MEANINGS, ids=range(len(MEANINGS)))
@pytest.mark.parametrize("store", ["sqlite", "memory"])
def test_meaning_of_filters(tmp_path: Path, store: str, raw: dict[str, Any], expected: list[str]) -> None:
    index = SqliteIndex(tmp_path) if store == "sqlite" else InMemoryIndex()
    index.write(
        "acme",
        "g1",
        [
            embedded("number", x=1),
            embedded("flag", x=True),
            embedded("list", x=["a", "b"]),
            embedded("plain", when="2026-01-01T02:00:00+02:00"),
        ],
    )

    answer = found(index, parse_filter(raw), Scope(tenant="acme"))

    assert answer == expected
