"""Every kind of drift, put into a world, and the check that all of it goes away."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.documents import DocumentKey, DocumentState
from haylift.domain.drift import Drift, DriftKind

from tests.fakes.search import word_vector
from tests.unit.ingestion.world import Killed, index_equals_bucket
from tests.unit.maintenance.drift_world import GENERATION, KEYS, DriftWorld

MOST_ROUNDS = 4


def _chunks(drifted: DriftWorld, key: str) -> dict[str, EmbeddedChunk]:
    return drifted.world.index.stored[DocumentKey.parse(key).tenant, GENERATION]


def _live(drifted: DriftWorld, key: str) -> list[str]:
    row = drifted.world.row(key)
    assert row is not None
    return sorted(
        name
        for name, each in _chunks(drifted, key).items()
        if (each.chunk.key, each.chunk.revision) == (key, row.live_revision)
    )


def _foreign(key: str, revision: int, number: int) -> EmbeddedChunk:
    parsed = DocumentKey.parse(key)
    chunk = Chunk(
        chunk_id=f"foreign-{parsed.document_id}-{number}",
        document_id=parsed.document_id,
        key=key,
        revision=revision,
        ordinal=number,
        title="",
        text="nobody wrote this",
    )
    return EmbeddedChunk(chunk=chunk, vector=word_vector("nobody"))


def _lose_index(drifted: DriftWorld, key: str) -> None:
    del drifted.world.index.stored[DocumentKey.parse(key).tenant, GENERATION]


def _lose_row(drifted: DriftWorld, key: str) -> None:
    parsed = DocumentKey.parse(key)
    del drifted.ledger.rows[parsed.tenant, parsed.document_id]


def _lose_object(drifted: DriftWorld, key: str) -> None:
    drifted.world.bucket.versions[key] = []


def _replace_in_silence(drifted: DriftWorld, key: str) -> None:
    drifted.world.bucket.put(key, b"third 1\nthird 2")
    drifted.world.bucket.bodies.pop()


def _delete_in_silence(drifted: DriftWorld, key: str) -> None:
    drifted.world.bucket.delete(key)
    drifted.world.bucket.bodies.pop()


def _change_row(**changes: object) -> "Injection":
    def inject(drifted: DriftWorld, key: str) -> None:
        row = drifted.world.row(key)
        assert row is not None
        drifted.ledger.rows[row.tenant, row.document_id] = replace(row, **changes)  # type: ignore[arg-type]

    return inject


def _lose_chunk(drifted: DriftWorld, key: str) -> None:
    del _chunks(drifted, key)[_live(drifted, key)[0]]


def _lose_chunks(drifted: DriftWorld, key: str) -> None:
    for name in _live(drifted, key):
        del _chunks(drifted, key)[name]


def _add_chunk(drifted: DriftWorld, key: str) -> None:
    row = drifted.world.row(key)
    assert row is not None
    extra = _foreign(key, row.live_revision, 99)
    _chunks(drifted, key)[extra.chunk.chunk_id] = extra


def _change_chunk(drifted: DriftWorld, key: str) -> None:
    name = _live(drifted, key)[0]
    known = _chunks(drifted, key)[name]
    _chunks(drifted, key)[name] = replace(known, chunk=replace(known.chunk, text="something else"))


def _swap_vector(drifted: DriftWorld, key: str) -> None:
    name = _live(drifted, key)[0]
    known = _chunks(drifted, key)[name]
    _chunks(drifted, key)[name] = replace(known, vector=word_vector("something else entirely"))


def _leave_chunks(revision: int) -> "Injection":
    def inject(drifted: DriftWorld, key: str) -> None:
        for number in range(2):
            left = _foreign(key, revision, number)
            _chunks(drifted, key)[left.chunk.chunk_id] = left

    return inject


def _add_unknown(drifted: DriftWorld, key: str) -> None:
    _leave_chunks(4)(drifted, f"{key}.unknown")


def _miscount(drifted: DriftWorld, key: str) -> None:
    drifted.ledger.tenants.documents[DocumentKey.parse(key).tenant] += 3


def _lose_count(drifted: DriftWorld, key: str) -> None:
    del drifted.ledger.tenants.documents[DocumentKey.parse(key).tenant]


type Injection = Callable[[DriftWorld, str], None]

INJECTIONS: dict[str, tuple[DriftKind, Injection]] = {
    "index lost": (DriftKind.INDEX_LOST, _lose_index),
    "row lost": (DriftKind.OBJECT_WITHOUT_ROW, _lose_row),
    "object lost": (DriftKind.ROW_WITHOUT_OBJECT, _lose_object),
    "marker without event": (DriftKind.ROW_WITHOUT_OBJECT, _delete_in_silence),
    "version without event": (DriftKind.WRONG_VERSION, _replace_in_silence),
    "tombstone of a living object": (
        DriftKind.WRONG_VERSION,
        _change_row(state=DocumentState.DELETED, version_id=""),
    ),
    "another version live": (DriftKind.WRONG_STATE, _change_row(live_version_id="another")),
    "rejected and live": (DriftKind.WRONG_STATE, _change_row(state=DocumentState.REJECTED)),
    "searchable and hidden": (DriftKind.WRONG_STATE, _change_row(live_revision=0)),
    "a chunk lost": (DriftKind.CHUNKS_MISSING, _lose_chunk),
    "all chunks lost": (DriftKind.CHUNKS_MISSING, _lose_chunks),
    "a chunk too many": (DriftKind.CHUNKS_EXTRA, _add_chunk),
    "a chunk changed": (DriftKind.CHUNKS_CHANGED, _change_chunk),
    "a vector changed": (DriftKind.CHUNKS_CHANGED, _swap_vector),
    "chunks of nobody": (DriftKind.UNKNOWN_CHUNKS, _add_unknown),
    "chunks of the past": (DriftKind.ORPHAN_CHUNKS, _leave_chunks(0)),
    "chunks of the future": (DriftKind.ORPHAN_CHUNKS, _leave_chunks(40)),
    "miscounted": (DriftKind.CONTENT_COUNT, _miscount),
    "count lost": (DriftKind.CONTENT_COUNT, _lose_count),
}


def finds_and_repairs(drifted: DriftWorld, names: Sequence[str], *, kills: Sequence[int] = ()) -> None:
    """Puts the drift in, one document each; all of it must be named, and be gone after the repair.

    `kills`: the process is killed after so many more effects, again and again.
    """
    keys = dict(zip(names, KEYS, strict=False))
    # Last, for there is nothing to break in a count or an index that is gone.
    for name in sorted(keys, key=("count lost", "index lost").__contains__):
        INJECTIONS[name][1](drifted, keys[name])

    found = drifted.reconcile(repair=False)

    lost = {DocumentKey.parse(keys[name]).tenant for name in names if name == "index lost"}
    for name in names:
        kind, key = INJECTIONS[name][0], keys[name]
        tenant = DocumentKey.parse(key).tenant
        if kind is DriftKind.INDEX_LOST and "count lost" in names:
            # Nothing says any more that there was an index: each document tells that its chunks are gone.
            continue
        if tenant not in lost or kind in _SEEN_WITHOUT_INDEX:
            assert any(_names(drift, kind, tenant, key) for drift in found), (name, found)
    assert len(set(found)) == len(found)
    _repair(drifted, kills)
    for key in drifted.world.bucket.versions:
        index_equals_bucket(drifted.world, key)
    assert drifted.world.index.rebuilding == set()


_SEEN_WITHOUT_INDEX = frozenset(
    {
        DriftKind.INDEX_LOST,
        DriftKind.OBJECT_WITHOUT_ROW,
        DriftKind.ROW_WITHOUT_OBJECT,
        DriftKind.WRONG_VERSION,
        DriftKind.WRONG_STATE,
    }
)


def _names(drift: Drift, kind: DriftKind, tenant: str, key: str) -> bool:
    about = {
        DriftKind.UNKNOWN_CHUNKS: f"{key}.unknown",
        DriftKind.INDEX_LOST: "",
        DriftKind.CONTENT_COUNT: "",
    }
    return (drift.tenant, drift.kind, drift.key) == (tenant, kind, about.get(kind, key))


def _repair(drifted: DriftWorld, kills: Sequence[int]) -> None:
    drifted.world.after = _KilledAgain(kills)
    for _ in range(MOST_ROUNDS):
        drifted.reconcile(repair=True)
        killer, drifted.world.after = drifted.world.after, lambda _: None
        drifted.settle()
        if not drifted.reconcile(repair=False):
            return
        drifted.world.after = killer
    raise AssertionError("drift is left after the repair")


class _KilledAgain:
    """Kills after each of these numbers of effects."""

    def __init__(self, kills: Sequence[int]) -> None:
        self._left = list(kills)

    def __call__(self, _: str) -> None:
        if self._left:
            self._left[0] -= 1
            if self._left[0] <= 0:
                self._left.pop(0)
                raise Killed
