"""One service is started anew; the others, above all the emulator with its state, are left alone."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.__main__ import main
from local.faults import LocalFault
from local.layout import Layout
from local.ports import Ports, free_ports, keep_ports
from local.services import Service
from local.supervisor import Launch, Supervised
from local.system import RESTARTABLE, restart

SLEEP = "import time; time.sleep(600)"
NAMES = ("emulator", "runtime", "model", "cache")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "system")
    layout.create()
    return layout


@pytest.fixture
def ports(layout: Layout) -> Ports:
    ports = free_ports()
    keep_ports(ports, layout.ports)
    return ports


@pytest.fixture
def running(layout: Layout, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Supervised]]:
    """All services of a system, as processes that sleep."""
    launch = Launch([sys.executable, "-c", SLEEP], dict(os.environ), Path.cwd(), "as wanted")
    processes = {
        name: Supervised(name, layout.processes / f"{name}.json", layout.logs / f"{name}.log")
        for name in NAMES
    }
    wanted = [Service(name, (), launch, lambda: True, 5.0, process) for name, process in processes.items()]
    monkeypatch.setattr("local.system.services", lambda *_: wanted)
    for process in processes.values():
        process.start(launch)
    yield processes
    for process in processes.values():
        process.stop(at_once=True)


def pids(running: dict[str, Supervised]) -> dict[str, int | None]:
    found = {name: process.identity() for name, process in running.items()}
    return {name: identity.pid if identity else None for name, identity in found.items()}


def changed(running: dict[str, Supervised], before: dict[str, int | None]) -> set[str]:
    """The services that run now as other processes than before."""
    after = pids(running)
    assert None not in after.values()
    return {name for name in NAMES if after[name] != before[name]}


@pytest.mark.parametrize("name", RESTARTABLE)
def test_one_service_is_another_process_afterwards(
    layout: Layout, running: dict[str, Supervised], name: str
) -> None:
    before = pids(running)

    status = main(["restart", name, "--state-dir", str(layout.state)])

    assert status == 0
    assert changed(running, before) == {name}


def test_a_service_that_does_not_run_is_started(
    layout: Layout, ports: Ports, running: dict[str, Supervised]
) -> None:
    before = pids(running)
    running["model"].stop(at_once=True)

    restart(layout, ports, "model")

    assert changed(running, before) == {"model"}


def test_a_service_that_hangs_is_ended_without_waiting_for_it(
    layout: Layout, ports: Ports, running: dict[str, Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would be waited for in vain: a stopped process hears no request to end.
    monkeypatch.setattr("local.supervisor.TERMINATE_LIMIT_S", 600.0)
    before = pids(running)
    assert before["model"] is not None
    os.kill(before["model"], signal.SIGSTOP)

    restart(layout, ports, "model")

    assert changed(running, before) == {"model"}


def test_a_service_that_ends_at_once_is_told_with_its_log(
    layout: Layout, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Supervised("cache", layout.processes / "cache.json", layout.logs / "cache.log")
    launch = Launch([sys.executable, "-c", "print('no disk')"], dict(os.environ), Path.cwd(), "x")
    wanted = [Service("cache", (), launch, lambda: False, 20.0, process)]
    monkeypatch.setattr("local.system.services", lambda *_: wanted)

    with pytest.raises(LocalFault, match="no disk"):
        restart(layout, ports, "cache")


def test_the_emulator_is_not_restarted_alone(layout: Layout) -> None:
    with pytest.raises(SystemExit):
        main(["restart", "emulator", "--state-dir", str(layout.state)])


def test_without_a_system_there_is_nothing_to_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["restart", "cache", "--state-dir", str(tmp_path / "none")])

    assert status == 1
    assert "no local system" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
