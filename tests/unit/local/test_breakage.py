"""What drills break on this machine is whole again when they let go."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local import breakage
from local.layout import Layout
from local.polling import until
from local.ports import free_ports, keep_ports
from local.supervisor import Launch, Supervised
from local.toolchain import ROOT

LIMIT_S = 30


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "system")
    made.create()
    keep_ports(free_ports(), made.ports)
    return made


@pytest.fixture
def index(layout: Layout) -> Path:
    """One index in WAL mode."""
    path = layout.index / "acme" / "g1.sqlite3"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, autocommit=True)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.executescript("CREATE TABLE state(sequence); INSERT INTO state VALUES(1);")
    return path


@contextmanager
def held(layout: Layout, *words: str, is_killed: bool = False) -> Iterator[None]:
    """A fault that lasts as long as the block; at the end its helper lets go, or is killed."""
    command = [sys.executable, "-m", "local.breakage", *words, "--state-dir", str(layout.state)]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as helper:
        assert helper.stdout is not None
        assert helper.stdin is not None
        assert helper.stdout.readline().strip() == breakage.HELD
        yield
        if is_killed:
            helper.kill()
        helper.stdin.close()
        assert helper.wait(LIMIT_S) == (-signal.SIGKILL if is_killed else 0)


def count(path: Path) -> int:
    with closing(
        sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0.1, autocommit=True)
    ) as connection:
        return int(connection.execute("SELECT count(*) FROM state").fetchone()[0])


def write(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0.1, autocommit=True)) as connection:
        connection.execute("INSERT INTO state VALUES(2)")


def test_a_lock_against_writers_lets_readers_through(layout: Layout, index: Path) -> None:
    with held(layout, "lock-index", "writers"):
        assert count(index) == 1
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write(index)

    write(index)
    assert count(index) == 2


def test_a_lock_against_all_stops_readers_too(layout: Layout, index: Path) -> None:
    with held(layout, "lock-index"), pytest.raises(sqlite3.OperationalError, match="lock"):
        count(index)

    assert count(index) == 1


def test_a_lock_ends_with_a_killed_helper(layout: Layout, index: Path) -> None:
    with held(layout, "lock-index", "writers", is_killed=True):
        pass

    write(index)
    assert count(index) == 2


def test_a_taken_index_is_nobodys_to_make_and_comes_back(layout: Layout, index: Path) -> None:
    with held(layout, "take-index"):
        assert not index.exists()
        with pytest.raises(OSError, match="exists"):
            layout.index.mkdir(parents=True, exist_ok=True)

    assert count(index) == 1


def test_an_index_is_put_back_after_a_killed_helper_and_only_once(layout: Layout, index: Path) -> None:
    with held(layout, "take-index", is_killed=True):
        pass

    for _ in range(2):
        assert breakage.main(["return-index", "--state-dir", str(layout.state)]) == 0
        assert count(index) == 1


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def test_a_slow_part_stands_still_and_goes_on_at_the_end(layout: Layout) -> None:
    part = Supervised("model", layout.processes / "model.json", layout.logs / "model.log")
    running = part.start(Launch(["sleep", "600"], dict(os.environ), layout.state, "f"))
    try:
        with held(layout, "slow", "model", "--stopped-s", "600"):
            until(lambda: state_of(running.pid) == "T", what="stopped process", limit_s=LIMIT_S)
        assert state_of(running.pid) != "T"
    finally:
        part.stop(at_once=True)


def test_a_crashing_function_is_known_by_its_environment() -> None:
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "haylift-local-search", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        ["sh", "-c", "echo ready; read _"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            # Between exec and the program's first instruction the kernel shows no environment yet.
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert breakage._function_of(process.pid) == "haylift-local-search"
        finally:
            process.send_signal(signal.SIGKILL)
    assert breakage._function_of(os.getpid()) == ""


def test_what_cannot_be_broken_is_said(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert breakage.main(["stop", "moon", "--state-dir", str(layout.state)]) == 1
    assert breakage.main(["slow", "model", "--state-dir", str(layout.state)]) == 1

    assert capsys.readouterr().err.splitlines() == [
        "There is no part moon; there are emulator, runtime, model, cache.",
        "The model does not run.",
    ]
