"""A lost index is not replaced by an empty one: whoever writes to it waits until it is back."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.errors import IndexUnavailable, StoreUnavailable
from haylift.ports import TenantCount
from haylift.services.counted_index import CountedIndex
from haylift.telemetry import Metric

from tests.contract.index.chunks import embedded, seen
from tests.fakes.gateway import RecordedTelemetry


@dataclass
class Tenant:
    """The row of one tenant; `asked` counts how often it was read."""

    documents: int = 0
    generation: str = "g1"
    asked: int = 0
    meanwhile: Callable[[], None] = field(default=lambda: None)

    def count(self, tenant: str) -> TenantCount | None:
        self.asked += 1
        self.meanwhile()
        if not self.documents:
            return None
        return TenantCount(tenant=tenant, generation=self.generation, documents=self.documents)


class Replacing(SqliteIndex):
    """The fault: a writer counts nothing and makes a new file wherever it finds none."""

    def __init__(self, directory: Path, count_of: Callable[[str], TenantCount | None]) -> None:
        super().__init__(directory)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def index(tmp_path: Path, tenant: Tenant) -> Iterator[SqliteIndex]:
    index = SqliteIndex(tmp_path / "index", count_of=tenant.count)
    yield index
    index.close()


def lose(folder: Path) -> Path:
    """Moves the index away as one does by mistake; gives where it lies now."""
    return Path(shutil.move(folder / "index", folder / "away"))


def waits_for_the_lost_index(index: SqliteIndex, tenant: Tenant, folder: Path) -> None:
    """An upload while the index is gone changes nothing, and afterwards nothing is missing."""
    index.write("acme", "g1", [embedded("first", document_id="a")])
    tenant.documents = 1
    away = lose(folder)

    with pytest.raises(IndexUnavailable) as caught:
        index.write("acme", "g1", [embedded("second", document_id="b")])
    made = sorted(folder.rglob("*.sqlite3"))
    shutil.rmtree(folder / "index", ignore_errors=True)
    away.rename(folder / "index")
    index.write("acme", "g1", [embedded("second", document_id="b")])

    assert caught.value.retry_after_s == 60.0
    assert made == [away / "acme" / "g1.sqlite3"]
    assert seen(index) == ["first", "second"]


def test_a_writer_waits_for_a_lost_index(index: SqliteIndex, tenant: Tenant, tmp_path: Path) -> None:
    waits_for_the_lost_index(index, tenant, tmp_path)


def test_a_writer_that_makes_a_new_one_fails_the_same_check(tenant: Tenant, tmp_path: Path) -> None:
    index = Replacing(tmp_path / "index", tenant.count)

    with pytest.raises(pytest.fail.Exception):
        waits_for_the_lost_index(index, tenant, tmp_path)
    index.close()


def test_what_a_lost_index_may_bring_back_is_not_taken_as_removed(
    index: SqliteIndex, tenant: Tenant, tmp_path: Path
) -> None:
    index.write("acme", "g1", [embedded("first", document_id="a")])
    tenant.documents = 2
    lose(tmp_path)

    with pytest.raises(IndexUnavailable):
        index.remove("acme", "g1", "a", keep_revision=0)


def test_each_refused_write_is_counted(index: SqliteIndex, tenant: Tenant) -> None:
    tenant.documents = 1
    telemetry = RecordedTelemetry()

    with pytest.raises(IndexUnavailable):
        CountedIndex(index, telemetry).write("acme", "g1", [embedded("first")])

    assert telemetry.records == [(Metric.INDEX_WRITE_FAILURES, 1, {})]


def test_a_first_document_is_written_in_several_calls_and_counted_afterwards(
    index: SqliteIndex, tenant: Tenant
) -> None:
    index.write("acme", "g1", [embedded("first")])
    index.write("acme", "g1", [embedded("second")])
    tenant.documents = 1
    index.write("acme", "g1", [embedded("third")])

    assert seen(index) == ["first", "second", "third"]
    assert tenant.asked == 1


def test_another_writer_may_have_made_and_counted_it_between_two_looks(
    index: SqliteIndex, tenant: Tenant, tmp_path: Path
) -> None:
    other = SqliteIndex(tmp_path / "index")

    def first_document() -> None:
        other.write("acme", "g1", [embedded("other")])
        tenant.documents = 1

    tenant.meanwhile = first_document
    index.write("acme", "g1", [embedded("own")])

    assert seen(index) == ["other", "own"]
    other.close()


@pytest.mark.parametrize("has_file", [True, False])
def test_a_tenant_whose_last_document_was_deleted_may_upload_again(
    index: SqliteIndex, tenant: Tenant, tmp_path: Path, has_file: bool
) -> None:
    index.write("acme", "g1", [embedded("old", document_id="a")])
    index.remove("acme", "g1", "a", keep_revision=0)
    if not has_file:
        index.close()
        shutil.rmtree(tmp_path / "index")
    index.write("acme", "g1", [embedded("new", document_id="b")])

    assert seen(index) == ["new"]


def test_a_new_generation_is_made_beside_the_one_that_counts(index: SqliteIndex, tenant: Tenant) -> None:
    index.write("acme", "g1", [embedded("old")])
    tenant.documents = 1

    index.write("acme", "g2", [embedded("new")])

    assert seen(index) == ["old"]


def test_nothing_is_made_while_nobody_can_count(tmp_path: Path) -> None:
    def count_of(_tenant: str) -> TenantCount | None:
        raise StoreUnavailable("The tenants table does not answer.")

    index = SqliteIndex(tmp_path / "index", count_of=count_of)

    with pytest.raises(StoreUnavailable):
        index.write("acme", "g1", [embedded("first")])
    assert list(tmp_path.rglob("*.sqlite3")) == []
