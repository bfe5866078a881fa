"""A supervised process is ended by its identity, never by its number alone."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.faults import LocalFault
from local.polling import TooLate, until
from local.supervisor import Identity, Launch, Supervised, identify, running_in_session

SLEEP = "import time; time.sleep(600)"
READY = "print('ready', flush=True)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; {SLEEP}"
FAMILY = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {READY}; {SLEEP}"


def launch(code: str) -> Launch:
    """A Python process that runs `code`."""
    return Launch([sys.executable, "-c", code], dict(os.environ), Path.cwd(), "as wanted")


@pytest.fixture
def process(tmp_path: Path) -> Supervised:
    """A process that has not been started."""
    return Supervised("sleeper", tmp_path / "sleeper.json", tmp_path / "sleeper.log")


def test_runs_until_it_is_stopped(process: Supervised) -> None:
    started = process.start(launch(SLEEP))

    assert process.identity() == started
    assert process.was_launched_as(launch(SLEEP))
    assert process.stop()
    assert identify(started.pid) is None
    assert not process.stop()


def test_another_process_with_its_number_is_left_alone(process: Supervised) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger:
        found = identify(stranger.pid)
        assert found is not None
        recorded = replace(found, started_ticks=found.started_ticks - 1)
        record = '{"identity": {"pid": %d, "started_ticks": %d, "boot_id": "%s"}, "fingerprint": "x"}'
        process._record.write_text(record % (recorded.pid, recorded.started_ticks, recorded.boot_id))

        stopped = process.stop()
        survived = stranger.poll() is None
        stranger.kill()

    assert (stopped, survived) == (False, True)


def test_a_process_that_ignores_the_request_is_killed_with_its_children(
    process: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.supervisor.TERMINATE_LIMIT_S", 0.2)
    started = process.start(launch(STUBBORN))
    until(lambda: "ready" in process.last_lines(), what="the process", limit_s=10)

    assert process.stop()
    assert identify(started.pid) is None


def test_stopping_at_once_ends_what_the_process_started(process: Supervised) -> None:
    started = process.start(launch(FAMILY))
    until(lambda: "ready" in process.last_lines(), what="the process", limit_s=10)
    children = [int(p) for p in Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()]

    process.stop(at_once=True)

    assert len(children) == 1
    until(lambda: identify(children[0]) is None, what="the end of the child", limit_s=5)


# A leader that ends when it is asked, and a child that does not.
ORPHANING = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {SLEEP}"


def check_nothing_is_left(process: Supervised, *, at_once: bool) -> None:
    """Everything that a process has started has ended when `stop` returns; AssertionError otherwise."""
    started = process.start(launch(ORPHANING))
    until(lambda: "ready" in process.last_lines(), what="the child", limit_s=10)
    family = running_in_session(started.pid)

    process.stop(at_once=at_once)
    left = running_in_session(started.pid)

    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(family) == 2
    assert left == []


@pytest.mark.parametrize("at_once", [True, False])
def test_stop_waits_for_the_whole_session(
    process: Supervised, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr("local.supervisor.TERMINATE_LIMIT_S", 0.5)

    check_nothing_is_left(process, at_once=at_once)


def test_a_stop_that_looks_at_the_leader_alone_is_found_out(
    process: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leader_alone(session: int) -> list[int]:
        return [] if identify(session) is None else [session]

    monkeypatch.setattr("local.supervisor.running_in_session", leader_alone)

    with pytest.raises(AssertionError):
        check_nothing_is_left(process, at_once=True)


def test_a_process_that_outlives_its_kill_is_named(
    process: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.start(launch(SLEEP))
    monkeypatch.setattr("local.supervisor.KILL_LIMIT_S", 0.0)
    monkeypatch.setattr("local.supervisor.running_in_session", lambda _session: [4711])

    with pytest.raises(LocalFault, match="sleeper does not end: pid 4711"):
        process.stop(at_once=True)
    monkeypatch.undo()
    process.stop(at_once=True)


def check_is_found_after_its_starter_was_killed(process: Supervised, monkeypatch: pytest.MonkeyPatch) -> None:
    """A started process is on record though its starter did nothing more; AssertionError otherwise."""
    started: list[int] = []

    class Killed(Exception):
        pass

    class StarterIsKilled(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            self.returncode = 0
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("local.supervisor.subprocess.Popen", StarterIsKilled)
        with pytest.raises(Killed):
            process.start(launch(SLEEP))
    try:
        found = until(process.identity, what="the record", limit_s=2)
    except TooLate as error:
        raise AssertionError(str(error)) from error
    finally:
        os.kill(started[0], signal.SIGKILL)
        os.waitpid(started[0], 0)

    assert found is not None
    assert found.pid == started[0]


def test_a_process_is_on_record_even_if_its_starter_is_killed(
    process: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_is_found_after_its_starter_was_killed(process, monkeypatch)


def test_a_record_that_the_starter_writes_is_found_out(
    process: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.supervisor.RECORD_THEN_RUN", 'shift 3; exec "$@"')

    with pytest.raises(AssertionError):
        check_is_found_after_its_starter_was_killed(process, monkeypatch)


def test_run_returns_the_exit_status_and_leaves_no_record(process: Supervised) -> None:
    assert process.run(launch("raise SystemExit(3)")) == 3
    assert process.identity() is None


def test_a_damaged_record_is_no_process(process: Supervised) -> None:
    process._record.write_text('{"identity": ')

    assert process.identity() is None
    assert not process.stop()


def test_remains_of_an_ended_process_do_not_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert identify(process.pid) is None
    process.wait()


def test_own_identity_is_stable() -> None:
    found = identify(os.getpid())

    assert isinstance(found, Identity)
    assert found.is_running()
    assert not replace(found, boot_id="another boot").is_running()
    assert signal.SIGKILL == 9
