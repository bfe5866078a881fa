"""An endpoint that accepts and never answers: every command ends soon, and says for whom it waits."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.cli import main
from ops.deployment import PATIENT, UPLOADING, Patience
from ops.drill.memory import Memory
from tests.fakes.ops import TABLES, HandClock, captured_world, remarked, shown, write_outputs

HURRIED = Patience(connect_s=0.2, read_s=0.3, attempts=1)
REMARK_AFTER_S = 0.1
OUTPUTS = {
    **TABLES,
    "OnCallInboxUrl": "http://127.0.0.1/inbox",
    "AuditBucketName": "audit",
    "AuditLogGroupName": "/haylift/local/audit",
    "DashboardName": "haylift",
    "SigningKeyId": "key",
}
COMMANDS = (
    ("alarms",),
    ("alarms", "show", "cache"),
    ("inbox",),
    ("flags", "list"),
    ("limits", "list"),
    ("user", "list"),
    ("audit",),
    ("audit", "--verify"),
    ("trace", "--last-failed"),
    ("logs", "search"),
    ("dashboard",),
)
ASKING = (("search", "x"), ("ask", "x"))


@pytest.fixture
def silent(state_dir: Path) -> Iterator[str]:
    """The address of a listener in whose queue all connections stay."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        write_outputs(state_dir, aws_endpoint_url=address, api_url=address, outputs=OUTPUTS)
        yield address


def _run(state_dir: Path, *command: str, patience: Patience = HURRIED) -> tuple[int, str, str, float]:
    clock = HandClock()
    clock.time_s = 1_800_000_000.0
    world = replace(
        captured_world(clock=clock),
        patience=patience,
        answer_s=patience.read_s,
        remark_after_s=REMARK_AFTER_S,
    )
    started = time.monotonic()
    exit_code = main([*command, "--state-dir", str(state_dir)], world)
    return exit_code, shown(world), remarked(world), time.monotonic() - started


def check_ends(
    state_dir: Path,
    address: str,
    command: tuple[str, ...],
    patience: Patience = HURRIED,
    within_s: float = 8.0,
) -> None:
    """The command ends in time, says meanwhile that it waits, and names the endpoint and the next step."""
    exit_code, _, err, took_s = _run(state_dir, *command, patience=patience)

    assert exit_code == 1
    assert took_s < within_s
    assert err.startswith(f"Still waiting for {address}")
    assert address in err.splitlines()[-1]
    assert "`make status` says what runs" in err or "`python -m ops status` says what works" in err


@pytest.mark.parametrize("command", [*COMMANDS, *ASKING], ids=" ".join)
def test_a_command_ends_and_names_the_endpoint(
    state_dir: Path, silent: str, command: tuple[str, ...]
) -> None:
    check_ends(state_dir, silent, command)


def test_drill_undo_says_what_it_could_not_repair(state_dir: Path, silent: str) -> None:
    Memory(state_dir).add("key-disable", {"key": "key"})

    exit_code, out, err, took_s = _run(state_dir, "drill", "undo")

    assert exit_code == 1
    assert took_s < 8
    assert err.startswith(f"Still waiting for {silent}")
    assert "not repaired: key-disable (" in out
    assert "not repaired: files (" in out
    assert silent in out


@pytest.mark.parametrize("command", [*COMMANDS, *ASKING], ids=" ".join)
def test_with_json_it_is_one_document(state_dir: Path, silent: str, command: tuple[str, ...]) -> None:
    exit_code, out, _, _ = _run(state_dir, *command, "--json")

    assert exit_code == 1
    assert json.loads(out)["error"]["code"] in {"aws_unreachable", "api_timeout"}


def test_the_check_finds_a_command_that_is_too_patient(state_dir: Path, silent: str) -> None:
    with pytest.raises(AssertionError):
        check_ends(state_dir, silent, ("limits", "list"), replace(HURRIED, read_s=1.5), within_s=1.4)


def test_a_person_is_told_within_half_a_minute() -> None:
    longest_s = PATIENT.attempts * max(PATIENT.connect_s, PATIENT.read_s)

    assert longest_s <= 20
    assert captured_world().patience == PATIENT
    assert captured_world().remark_after_s == 5
    assert UPLOADING.read_s == 60
