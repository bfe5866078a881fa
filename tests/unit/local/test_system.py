"""States that cannot be trusted are removed, folders that are not ours are not."""

from pathlib import Path

import pytest

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


def test_state_of_a_killed_emulator_goes_together_with_the_index(layout: Layout) -> None:
    _discard_untrusted_state(layout, services(layout, free_ports()))

    assert list(layout.emulator.iterdir()) == []
    assert list(layout.index.iterdir()) == []


def test_state_of_a_clean_stop_stays(layout: Layout) -> None:
    (layout.emulator / CLEAN_STOP).touch()

    _discard_untrusted_state(layout, services(layout, free_ports()))

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
