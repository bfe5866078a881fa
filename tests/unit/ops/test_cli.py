"""Options, help and exit codes."""

import argparse
import contextlib
import doctest
import importlib
import io
import json
import pkgutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

import ops
from ops.cli import COMMANDS, GROUPS, USER_COMMANDS, Parser, build_parser, main
from ops.faults import OpsFault
from ops.session import Session
from ops.terminal import Terminal
from tests.fakes.ops import captured_world, remarked, shown, write_outputs


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


ALL_COMMANDS = [(name,) for name in COMMANDS] + [
    (group, name) for group, found in GROUPS.items() for name in found.commands
]


def check_one_document(arguments: list[str]) -> dict[str, dict[str, str]]:
    """What stands on stdout is one JSON object with an error; gives it."""
    world = captured_world()
    with contextlib.suppress(SystemExit):
        main(arguments, world)
    found: dict[str, dict[str, str]] = json.loads(shown(world))
    assert {"code", "detail"} <= found["error"].keys()
    return found


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
@pytest.mark.parametrize("is_before", [True, False])
def test_wrong_options_with_json_are_one_document(command: tuple[str, ...], is_before: bool) -> None:
    words = ["--json", *command] if is_before else [*command, "--json"]

    found = check_one_document([*words, "--no-such-option"])

    assert found["error"]["code"] == "wrong_options"
    assert main([*words, "--no-such-option"], captured_world()) == 2


def test_no_command_with_json_is_one_document_too() -> None:
    assert check_one_document(["--json"])["error"]["code"] == "wrong_options"
    assert check_one_document(["dance", "--json"])["error"]["code"] == "wrong_options"


@pytest.fixture
def broken_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_session: Session) -> int:
        raise KeyError("N")

    monkeypatch.setitem(COMMANDS, "logs", replace(COMMANDS["logs"], run=fails))


@pytest.mark.usefixtures("broken_command")
def test_an_error_that_nobody_thought_of_is_one_document_without_a_traceback() -> None:
    world, told, debugged = captured_world(), captured_world(), captured_world()

    codes = [
        main(["logs", "search", "--json"], world),
        main(["logs", "search"], told),
        main(["logs", "search", "--debug"], debugged),
    ]

    assert codes == [1, 1, 1]
    assert json.loads(shown(world))["error"]["code"] == "internal_error"
    assert remarked(told).startswith("internal_error: KeyError: 'N' (test_cli.py, line ")
    assert "Traceback" not in remarked(told)
    assert "Traceback (most recent call last)" in remarked(debugged)


def test_a_fault_after_the_result_leaves_stdout_one_document() -> None:
    world = captured_world()
    terminal = Terminal(out=world.out, err=world.err, is_json=True)

    terminal.result({"name": "ann"}, ())
    terminal.fault(OpsFault("not_audited", "Note it by hand."))

    assert json.loads(shown(world)) == {"name": "ann"}
    assert remarked(world) == "not_audited: Note it by hand.\n"


def test_the_check_finds_output_that_is_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Parser, "error", argparse.ArgumentParser.error)

    with pytest.raises(json.JSONDecodeError):
        check_one_document(["logs", "--json"])
