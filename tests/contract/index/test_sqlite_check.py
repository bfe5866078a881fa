"""What asking the embedded index whether it works notices, and what it does not blame others for."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.errors import IndexUnavailable
from haylift.ports import TenantCount

from tests.contract.index.chunks import embedded

FILLED = (TenantCount(tenant="acme", generation="g1", documents=1),)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    index = SqliteIndex(tmp_path, busy_timeout_s=0.05)
    yield index
    index.close()


def a_check_notices(index: SqliteIndex, damage: Callable[[], object]) -> None:
    """An index with documents is well, and no more after the damage."""
    index.write("acme", "g1", [embedded("c1", "one")])
    index.check(FILLED)
    damage()

    with pytest.raises(IndexUnavailable):
        index.check(FILLED)


def test_an_index_that_is_gone_fails_the_check(index: SqliteIndex, tmp_path: Path) -> None:
    a_check_notices(index, lambda: shutil.rmtree(tmp_path / "acme"))


def test_one_tenants_lost_file_among_others_fails_the_check(index: SqliteIndex, tmp_path: Path) -> None:
    index.write("a-first", "g1", [embedded("c1", "one")])

    a_check_notices(index, (tmp_path / "acme" / "g1.sqlite3").unlink)


def test_a_reader_that_is_locked_out_fails_the_check(index: SqliteIndex, tmp_path: Path) -> None:
    locked: list[sqlite3.Connection] = []

    def lock() -> None:
        index.close()  # a lock on the whole file needs that nobody has it open
        connection = sqlite3.connect(tmp_path / "acme" / "g1.sqlite3", autocommit=True)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        locked.append(connection)

    a_check_notices(index, lock)

    locked[0].close()
    index.check(FILLED)


def test_a_check_of_the_folder_alone_does_not_notice(tmp_path: Path) -> None:
    class FolderOnly(SqliteIndex):
        def check(self, filled: Iterable[TenantCount] = ()) -> None:
            super().check()

    index = FolderOnly(tmp_path, busy_timeout_s=0.05)

    with pytest.raises(pytest.fail.Exception):
        a_check_notices(index, lambda: shutil.rmtree(tmp_path / "acme"))
    index.close()


@pytest.mark.parametrize("damaged", ["acme", "globex"])
def test_one_tenants_damaged_file_is_nobody_elses_fault(
    index: SqliteIndex, tmp_path: Path, damaged: str
) -> None:
    for tenant in ("acme", "globex"):
        index.write(tenant, "g1", [embedded("c1", "one")])
    index.close()
    (tmp_path / damaged / "g1.sqlite3").write_bytes(b"no database" * 1_000)
    counts = {name: TenantCount(tenant=name, generation="g1", documents=1) for name in ("acme", "globex")}

    with pytest.raises(IndexUnavailable):
        index.check([counts.pop(damaged)])
    index.check(counts.values())
    index.check()


def test_a_folder_without_a_readable_file_fails_the_check(index: SqliteIndex, tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        index.write(tenant, "g1", [embedded("c1", "one")])
        (tmp_path / tenant / "g1.sqlite3").write_bytes(b"no database" * 1_000)
    index.close()

    with pytest.raises(IndexUnavailable):
        index.check()


def test_an_index_that_holds_nothing_yet_is_well(index: SqliteIndex) -> None:
    index.check()


def test_a_missing_folder_fails_the_check(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index")
    (tmp_path / "index").rmdir()

    with pytest.raises(IndexUnavailable):
        index.check()
