"""docs/on-call.md names every cause, its runbook and every key of the document; each runbook exists."""

import re
import shlex
from pathlib import Path

import pytest

from ops.cli import build_parser
from ops.diagnosis import diagnose
from ops.rules import RULES
from ops.state import Snapshot
from ops.status_document import document
from tests.unit.ops.snapshots import FAULTS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "on-call.md"
COMMAND = re.compile(r"^(?:\.venv/bin/)?python -m ops (.*)$")


def check_causes(text: str) -> None:
    """Each cause stands in the table, in a row with its runbook."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for _, seen in FAULTS.values():
        for cause in diagnose(seen, RULES):
            found = [row for row in rows if f"`{cause.name}`" in row]
            assert found, cause.name
            assert f"(runbooks/{cause.runbook}.md)" in found[0]


def check_keys(text: str) -> None:
    """Each key of the JSON is explained."""
    keys = document(Snapshot(stage="local", at_s=0, minutes=5), (), "").keys()
    assert [key for key in keys if f"`{key}`" not in text] == []


def check_commands(lines: list[str]) -> None:
    """Each command of ops is one that it knows."""
    commands = [match[1] for line in lines if (match := COMMAND.match(line))]
    assert commands
    for command in commands:
        build_parser().parse_args(shlex.split(command, comments=True))


def test_every_cause_is_in_the_table() -> None:
    check_causes(PAGE.read_text(encoding="utf-8"))


def test_every_key_is_explained() -> None:
    check_keys(PAGE.read_text(encoding="utf-8"))


def test_every_command_of_the_page_is_known() -> None:
    check_commands(PAGE.read_text(encoding="utf-8").splitlines())


def test_every_command_that_a_cause_gives_is_known() -> None:
    given = [
        text for _, seen in FAULTS.values() for cause in diagnose(seen, RULES) for text in cause.commands
    ]

    check_commands(given)


def test_every_runbook_that_a_cause_names_is_there() -> None:
    runbooks = {cause.runbook for _, seen in FAULTS.values() for cause in diagnose(seen, RULES)}

    assert len(runbooks) == 13
    assert [name for name in runbooks if not (ROOT / "docs" / "runbooks" / f"{name}.md").is_file()] == []


def test_the_checks_can_fail() -> None:
    text = PAGE.read_text(encoding="utf-8")

    with pytest.raises(AssertionError):
        check_causes(text.replace("`cache-unavailable`", "`cache`"))
    with pytest.raises(AssertionError):
        check_keys(text.replace("`backlog`", "`log`"))
    with pytest.raises(SystemExit):
        check_commands([".venv/bin/python -m ops status --coffee"])
