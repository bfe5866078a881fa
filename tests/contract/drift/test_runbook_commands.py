"""Runbooks name commands that exist, with options that they take."""

import re
import shlex
from collections.abc import Iterator

import pytest

from ops.cli import build_parser
from tests.contract.drift.contracts import ROOT

COMMAND = re.compile(r"python -m ops ([^`\n]+)")
PLACEHOLDERS = {"$STAGE": "local", "FUNCTION": "search", " N": " 5"}
"""What a reader puts in; other names in capitals are taken as they are."""

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))


def commands_of(text: str) -> Iterator[str]:
    """Every command of ours in a runbook, in fences and in sentences."""
    for found in COMMAND.findall(text):
        command = found
        for name, value in PLACEHOLDERS.items():
            command = command.replace(name, value)
        yield command


def command_faults(text: str) -> list[str]:
    """Commands that `python -m ops` would refuse."""
    return [command for command in commands_of(text) if not _is_understood(shlex.split(command))]


def _is_understood(words: list[str]) -> bool:
    # A sentence may name a command without what it needs.
    try:
        build_parser().parse_args(words)
    except SystemExit:
        return False
    return True


@pytest.mark.parametrize("runbook", [path.stem for path in RUNBOOKS])
def test_a_runbook_names_commands_that_are_understood(runbook: str) -> None:
    text = (ROOT / "docs" / "runbooks" / f"{runbook}.md").read_text()

    assert list(commands_of(text)) != []
    assert command_faults(text) == []


@pytest.mark.parametrize(
    "command", ["python -m ops flags set shed-loads 5 --yes", "`python -m ops heal`", "python -m ops logs"]
)
def test_a_command_that_does_not_exist_would_be_seen(command: str) -> None:
    assert len(command_faults(command)) == 1
