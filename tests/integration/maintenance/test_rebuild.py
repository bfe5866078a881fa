"""An index whose file was deleted is made again of the bucket, and answers when all of it is there."""

from contextlib import closing
from pathlib import Path

import pytest
from haylift.adapters.sqlite_inventory import SqliteInventory
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports.search import LegQuery
from haylift.services.live_index import LiveIndex

from tests.unit.ingestion.world import World
from tests.unit.maintenance.drift_world import TENANTS, DriftWorld


def _world(folder: Path, kind: type[SqliteInventory]) -> tuple[DriftWorld, SqliteInventory]:
    world = World()
    index = kind(folder, count_of=world.ledger.tenants.count)
    world.index = index  # type: ignore[assignment]  # what is stored is read by searching it here
    world.pipeline.index = index
    return DriftWorld(world=world), index


def _found(drifted: DriftWorld, index: SqliteInventory, tenant: str) -> list[str]:
    tenants = drifted.ledger.tenants
    live = LiveIndex(index, drifted.ledger, tenants.count, now=drifted.world.clock.now)
    legs = live.retrieve(LegQuery(text="first second", vector=None, depth=100), Scope(tenant=tenant), "g1")
    return sorted(f"{hit.chunk.key}: {hit.chunk.text}" for hit in legs.keyword)


def comes_back_from_the_bucket(folder: Path, kind: type[SqliteInventory]) -> None:
    drifted, index = _world(folder, kind)
    with closing(index):
        _comes_back(drifted, index, folder)


def _comes_back(drifted: DriftWorld, index: SqliteInventory, folder: Path) -> None:
    """The check: after the loss no answer is given, and after repair and workers the same as before."""
    before = {tenant: _found(drifted, index, tenant) for tenant in TENANTS}
    (lost,) = (folder / TENANTS[0]).glob("*.sqlite3")
    for file in lost.parent.glob(f"{lost.name}*"):
        file.unlink()

    with pytest.raises(IndexUnavailable):
        _found(drifted, index, TENANTS[0])
    drifted.reconcile(repair=True)
    with pytest.raises(IndexUnavailable):
        _found(drifted, index, TENANTS[0])
    drifted.settle()
    drifted.reconcile(repair=True)
    after = {tenant: _found(drifted, index, tenant) for tenant in TENANTS}
    left = drifted.reconcile(repair=False)

    assert [len(lines) for lines in before.values()] == [18, 17]
    assert after == before
    assert left == ()


def test_a_deleted_index_comes_back_from_the_bucket(tmp_path: Path) -> None:
    comes_back_from_the_bucket(tmp_path, SqliteInventory)


class _AnswersAtOnce(SqliteInventory):
    def begin_rebuild(self, tenant: str, generation: str) -> None:
        super().begin_rebuild(tenant, generation)
        self.end_rebuild(tenant, generation)


def test_an_index_that_answers_before_it_is_whole_fails_the_same_check(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception):
        comes_back_from_the_bucket(tmp_path, _AnswersAtOnce)
