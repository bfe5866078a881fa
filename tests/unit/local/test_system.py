"""States that cannot be trusted are removed, folders that are not ours are not."""

from pathlib import Path

import pytest

from local.__main__ import main
from local.emulator.clean_stop import CLEAN_STOP
from local.faults import LocalFault
from local.layout import Layout
from local.ports import free_ports
from local.services import services
from local.system import _discard_untrusted_state, exclusive, remove


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A system that has run: the emulator and the index hold something."""
    layout = Layout(tmp_path / "system")
    layout.create()
    (layout.emulator / "services").mkdir()
    (layout.index / "acme.sqlite").write_bytes(b"rows")
    return layout


def test_state_of_a_killed_emulator_goes_together_with_the_index(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    is_discarded = _discard_untrusted_state(layout, services(layout, free_ports()))

    assert is_discarded
    assert list(layout.emulator.iterdir()) == []
    assert list(layout.index.iterdir()) == []
    said = capsys.readouterr().out
    assert "The earlier run did not stop cleanly" in said
    assert "documents and users of that run are gone" in said
    assert f"python -m local down --state-dir {layout.state}`" in said


def test_state_of_a_clean_stop_stays(layout: Layout) -> None:
    (layout.emulator / CLEAN_STOP).touch()

    assert not _discard_untrusted_state(layout, services(layout, free_ports()))
    assert (layout.index / "acme.sqlite").exists()
    assert (layout.emulator / "services").exists()


def test_only_a_folder_of_ours_is_removed(layout: Layout, tmp_path: Path) -> None:
    foreign = tmp_path / "photos"
    foreign.mkdir()

    remove(layout)
    assert not layout.state.exists()
    with pytest.raises(LocalFault, match="was not made by this command"):
        remove(Layout(foreign))
    assert foreign.exists()


@pytest.mark.parametrize("command", ["up", "down", "clean"])
def test_a_file_as_state_folder_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")

    status = main([command, "--state-dir", str(file)])

    assert status == 1
    assert str(file) in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_state_folder_below_a_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").touch()

    assert main(["up", "--state-dir", str(tmp_path / "notes.txt" / "state")]) == 1
    assert "cannot be the state folder (Not a directory)" in capsys.readouterr().err


def test_a_folder_with_files_of_others_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photo.jpg").touch()

    assert main(["up", "--state-dir", str(tmp_path)]) == 1
    assert "holds photo.jpg and was not made by this command" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("number", ["0", "17", "two", "-1"])
def test_a_senseless_number_of_workers_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(SystemExit):
        main(["up", "--state-dir", str(tmp_path / "new"), "--workers", number])

    assert not (tmp_path / "new").exists()


def test_the_number_of_workers_restarts_the_emulator_alone(layout: Layout) -> None:
    ports = free_ports()

    two, three = ({s.name: s.launch for s in services(layout, ports, workers)} for workers in (2, 3))

    assert three["emulator"].environment["HAYLIFT_EMULATOR_WORKERS"] == "3"
    assert [name for name in two if two[name].fingerprint != three[name].fingerprint] == ["emulator"]


def test_two_commands_do_not_change_one_system(layout: Layout) -> None:
    with exclusive(layout), pytest.raises(LocalFault, match="Another command"), exclusive(layout):
        pass


def test_a_changed_source_changes_the_fingerprint_of_what_runs_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ports = free_ports()
    before = {s.name: s.process for s in services(layout, ports)}
    launches = {s.name: s.launch.fingerprint for s in services(layout, ports)}
    monkeypatch.setattr("local.toolchain.ROOT", tmp_path)
    (tmp_path / "local" / "emulator").mkdir(parents=True)
    (tmp_path / "local" / "sagemaker_shim.py").write_text("changed")

    after = {s.name: s.launch.fingerprint for s in services(layout, ports)}

    assert set(before) == {"emulator", "runtime", "model", "cache"}
    assert {name for name in after if after[name] != launches[name]} == {"emulator", "runtime"}
