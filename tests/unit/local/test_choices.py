"""What a user has chosen for a system stays until they choose again."""

from pathlib import Path

import pytest

from local.__main__ import main
from local.choices import Choices, choose
from local.layout import Layout
from local.ports import free_ports
from local.services import services


def test_a_choice_is_kept_until_another_is_made(tmp_path: Path) -> None:
    file = tmp_path / "choices.json"

    first = choose(10, "off", "on", file)
    second = choose(None, None, None, file)
    third = choose(60, "5/30", None, file)

    assert first == second == Choices(minute_s=10, rate_limits="off", ocr="on")
    assert choose(None, None, None, file) == third == Choices(minute_s=60, rate_limits="5/30", ocr="on")


def test_without_a_choice_the_app_decides(tmp_path: Path) -> None:
    chosen = choose(None, None, None, tmp_path / "choices.json")

    assert chosen == Choices(minute_s=60, rate_limits="")
    assert chosen.context() == {}
    assert Choices(rate_limits="off").context() == {"rate_limits": "off"}


def test_a_file_that_is_none_counts_as_no_choice(tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text("{", encoding="utf-8")

    assert choose(None, None, None, tmp_path / "choices.json") == Choices()


def test_another_pace_restarts_the_emulator_alone(tmp_path: Path) -> None:
    layout, ports = Layout(tmp_path), free_ports()

    real, fast = ({s.name: s.launch for s in services(layout, ports, 2, pace)} for pace in (60, 10))

    assert fast["emulator"].environment["HAYLIFT_EMULATOR_MINUTE_S"] == "10"
    assert [name for name in real if real[name].fingerprint != fast[name].fingerprint] == ["emulator"]


@pytest.mark.parametrize(
    "option",
    [
        ["--minute-s", "0"],
        ["--minute-s", "ten"],
        ["--rate-limits", "0/5"],
        ["--rate-limits", "10"],
        ["--ocr", "1"],
    ],
)
def test_a_senseless_choice_is_refused(tmp_path: Path, option: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["up", "--state-dir", str(tmp_path / "new"), *option])

    assert not (tmp_path / "new").exists()
