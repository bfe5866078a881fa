"""Options, help and exit codes."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

import ops
from ops.cli import COMMANDS, USER_COMMANDS, build_parser, main
from tests.fakes.ops import captured_world, remarked, write_outputs


def _help(*command: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as caught:
        build_parser().parse_args([*command, "--help"])
    assert caught.value.code == 0
    return " ".join(out.getvalue().split())


def test_the_help_names_every_command_and_the_exit_codes() -> None:
    text = _help()

    for name in (*COMMANDS, "user"):
        assert name in text
    assert "exit codes: 0 done, 1 failed, 2 asked wrongly" in text
    assert "default .local" in text


@pytest.mark.parametrize(
    "command", [(name,) for name in COMMANDS] + [("user", name) for name in USER_COMMANDS]
)
def test_every_command_has_a_help_with_the_common_options(command: tuple[str, ...]) -> None:
    text = _help(*command)

    for option in ("--stage {local,dev,prod}", "--state-dir DIR", "--json"):
        assert option in text


def test_common_options_stand_before_or_after_the_command() -> None:
    before = build_parser().parse_args(["--json", "--state-dir", "other", "ask", "x"])
    after = build_parser().parse_args(["ask", "x", "--json", "--state-dir", "other"])
    neither = build_parser().parse_args(["ask", "x"])

    assert (before.json, before.state_dir) == (after.json, after.state_dir) == (True, "other")
    assert (neither.json, neither.state_dir, neither.stage) == (False, ".local", "local")


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["ask"], ["upload"], ["user"], ["user", "add"], ["ask", "x", "--stage", "moon"]],
)
def test_wrong_options_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, captured_world())

    assert caught.value.code == 2
    assert "usage: python -m ops" in capsys.readouterr().err


def test_without_a_system_each_command_says_what_to_run(tmp_path: Path) -> None:
    for command in (["ask", "x"], ["upload", str(tmp_path)], ["user", "list"], ["logs", "search"]):
        world = captured_world()

        assert main([*command, "--state-dir", str(tmp_path / "none")], world) == 1

        assert remarked(world).startswith("not_deployed: No local system is up")


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    "command", [["ask", "x"], ["upload", __file__], ["user", "list"], ["logs", "search"]]
)
def test_a_system_that_is_down_says_what_to_run(
    state_dir: Path, closed_port: int, command: list[str]
) -> None:
    address = f"http://127.0.0.1:{closed_port}"
    write_outputs(state_dir, aws_endpoint_url=address, api_url=address)
    world = captured_world()

    assert main([*command, "--state-dir", str(state_dir)], world) == 1

    assert remarked(world).splitlines()[0].endswith("`make status` says what runs, `make up` starts it.")


def test_on_aws_a_fault_does_not_speak_of_make(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    world = captured_world()

    assert main(["--stage", "dev", "--region", "eu-central-1", "user", "list"], world) == 1

    assert remarked(world).startswith("aws_unreachable: ")
    assert "make" not in remarked(world)


class ClosedPipe(io.StringIO):
    """A reader that has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.usefixtures("aws")
def test_a_reader_that_has_enough_ends_the_command_quietly(state_dir: Path) -> None:
    world = replace(captured_world(), out=ClosedPipe())

    assert main(["user", "list", "--state-dir", str(state_dir)], world) == 0

    assert remarked(world) == ""
    assert world.out.closed


def test_aws_without_a_region_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    world = captured_world()

    assert main(["--stage", "dev", "user", "list"], world) == 2

    assert remarked(world) == "region_missing: Name the region with --region or AWS_DEFAULT_REGION.\n"


def test_the_examples_in_docstrings_hold() -> None:
    modules = [importlib.import_module(f"ops.{found.name}") for found in pkgutil.iter_modules(ops.__path__)]

    results = [doctest.testmod(module) for module in modules if module.__name__ != "ops.__main__"]

    assert sum(result.attempted for result in results) >= 3
    assert sum(result.failed for result in results) == 0
