"""What holds of the embedded index's files: processes, kills, damage, names."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.errors import IndexUnavailable, InvalidInput
from haylift.domain.identity import Scope

from tests.contract.index.chunks import embedded, everything, ids, seen, words

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from haylift.adapters.sqlite_index import SqliteIndex
from tests.contract.index.chunks import embedded
index = SqliteIndex(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    first = int(line)
    index.write("acme", "g1", [embedded(f"c{first + n:06}", f"written {first + n}") for n in range(10)])
    print(first, flush=True)
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    index = SqliteIndex(tmp_path, busy_timeout_s=0.05)
    yield index
    index.close()


class Writer:
    """Another process that writes ten chunks for each line it is sent."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core/python'}"},
        )
        assert self.answer() == "ready"

    def send(self, *firsts: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{first}\n" for first in firsts))
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> list[str]:
        """Kills it with SIGKILL; gives the acknowledgements that were still on their way."""
        self._process.send_signal(signal.SIGKILL)
        rest, _ = self._process.communicate()
        return rest.split()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path)
    yield writer
    writer.kill()


def test_another_process_is_seen_after_each_of_its_writes(index: SqliteIndex, writer: Writer) -> None:
    counts = []
    for first in (0, 10, 20):
        writer.send(first)
        writer.answer()
        counts.append(len(seen(index)))
    last = ids(index.retrieve(words("29"), Scope(tenant="acme"), "g1"))

    assert counts == [10, 20, 30]
    assert last == ["c000029"]


def test_two_writers_and_a_reader_in_three_processes(tmp_path: Path, writer: Writer) -> None:
    index = SqliteIndex(tmp_path)
    writer.send(*range(0, 200, 10))
    for number in range(20):
        index.write("acme", "g1", [embedded(f"own{number}")])
    acknowledged = [writer.answer() for _ in range(20)]

    assert len(acknowledged) == 20
    assert len(seen(index)) == 220
    index.close()


def test_threads_share_one_index(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path)

    def write(thread: int) -> None:
        for number in range(20):
            index.write("acme", "g1", [embedded(f"{thread}-{number}-{part}") for part in range(3)])

    def read(_: int) -> list[int]:
        return [len(seen(index)) for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, thread) for thread in range(2)]
        counts = [pool.submit(read, thread).result() for thread in range(2)]
        for each in written:
            each.result()

    assert all(each == sorted(each) for each in counts)
    assert all(count % 3 == 0 for each in counts for count in each)
    assert len(seen(index)) == 120
    index.close()


def test_kill_9_loses_nothing_acknowledged_and_leaves_no_half_write(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for round_ in range(4):
        writer = Writer(tmp_path)
        firsts = range(round_ * 10_000, round_ * 10_000 + 2_000, 10)
        writer.send(*firsts)
        for _ in range(5 + round_ * 7):
            acknowledged.add(int(writer.answer()))
        acknowledged.update(int(line) for line in writer.kill())

    index = SqliteIndex(tmp_path)
    found = {int(chunk_id[1:]) for chunk_id in seen(index, query=everything(depth=100_000))}
    index.close()

    assert {first + number for first in acknowledged for number in range(10)} <= found
    assert len(found) % 10 == 0
    assert len(acknowledged) >= 62


def test_reading_makes_no_file(index: SqliteIndex, tmp_path: Path) -> None:
    seen(index)
    index.remove("acme", "g1", "d", keep_revision=0)
    index.check()

    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("generation", ["../g1", "", "a/b", ".hidden", "g\x00", "g" * 64])
def test_an_unsafe_generation_is_refused(index: SqliteIndex, generation: str) -> None:
    with pytest.raises(InvalidInput, match="generation"):
        index.write("acme", generation, [embedded("c1")])


@pytest.mark.parametrize("tenant", ["..", "", "a/b", "ACME", "*"])
def test_an_unsafe_tenant_is_refused(index: SqliteIndex, tenant: str) -> None:
    with pytest.raises(InvalidInput, match="tenant"):
        index.retrieve(everything(), Scope(tenant=tenant), "g1")


def test_a_writer_that_waits_too_long_says_when_to_come_back(index: SqliteIndex, tmp_path: Path) -> None:
    index.write("acme", "g1", [embedded("c1")])
    with closing(sqlite3.connect(tmp_path / "acme/g1.sqlite3", autocommit=True)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(IndexUnavailable) as failure:
            index.write("acme", "g1", [embedded("c2")])
        readable = seen(index)

    assert failure.value.retry_after_s == 1.0
    assert readable == ["c1"]
    index.write("acme", "g1", [embedded("c2")])
    assert seen(index) == ["c1", "c2"]


@pytest.mark.parametrize("damage", [b"not a database at all" * 500, b"\x00" * 4096])
def test_a_damaged_file_is_unavailable(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/g1.sqlite3").write_bytes(damage)
    index = SqliteIndex(tmp_path)

    for attempt in (index.check, lambda: seen(index), lambda: index.write("acme", "g1", [embedded("c1")])):
        with pytest.raises(IndexUnavailable):
            attempt()


def test_a_failed_write_changes_nothing(index: SqliteIndex) -> None:
    index.write("acme", "g1", [embedded("c1")])

    with pytest.raises(IndexUnavailable, match="another model"):
        index.write("acme", "g1", [embedded("c2"), embedded("c3", vector=(1.0, 0.0, 0.0))])

    assert seen(index) == ["c1"]


def test_a_query_of_another_model_is_refused(index: SqliteIndex) -> None:
    index.write("acme", "g1", [embedded("c1", vector=(1.0, 0.0, 0.0))])

    with pytest.raises(IndexUnavailable, match="another model"):
        seen(index)


def test_files_taken_away_are_noticed(index: SqliteIndex, tmp_path: Path) -> None:
    index.write("acme", "g1", [embedded("old")])
    assert seen(index) == ["old"]

    for path in sorted((tmp_path / "acme").iterdir()):
        path.unlink()
    without = seen(index)
    index.write("acme", "g1", [embedded("new")])

    assert without == []
    assert seen(index) == ["new"]
