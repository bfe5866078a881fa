"""`ops logs` against CloudWatch Logs."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops.cli import main
from ops.logs import FUNCTIONS
from tests.fakes.ops import HandClock, captured_world, remarked, shown

pytestmark = pytest.mark.usefixtures("aws")

GROUP = "/aws/lambda/haylift-local-search"
NOW_S = float(int(time.time()))
"""The machine's: CloudWatch Logs refuses lines that are older than 14 days."""


@pytest.fixture
def group() -> None:
    """Two streams with lines of the last ten minutes."""
    client = boto3.client("logs", region_name="eu-central-1")
    client.create_log_group(logGroupName=GROUP)
    for stream, lines in {
        "one": [(-600, "START"), (-10, "last\x1b[31m\n")],
        "two": [(-60, "middle")],
    }.items():
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        client.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[{"timestamp": int((NOW_S + ago_s) * 1_000), "message": text} for ago_s, text in lines],
        )


def _run(state_dir: Path, *arguments: str) -> tuple[int, Any]:
    clock = HandClock()
    clock.time_s = NOW_S
    world = captured_world(clock=clock)
    return main(["logs", *arguments, "--state-dir", str(state_dir)], world), world


def test_lines_of_all_streams_are_shown_by_time(state_dir: Path, group: None) -> None:
    code, world = _run(state_dir, "search")

    assert code == 0
    lines = [line.split(" ", 1) for line in shown(world).splitlines()]
    assert [text for _, text in lines] == ["START", "middle", "last[31m"]
    assert [datetime.fromisoformat(at).timestamp() - NOW_S for at, _ in lines] == [-600, -60, -10]


def test_only_the_last_minutes_and_only_what_fits_the_pattern(state_dir: Path, group: None) -> None:
    _, recent = _run(state_dir, "search", "--minutes", "2")
    _, filtered = _run(state_dir, "search", "--filter", "START", "--json")

    assert [line.split()[1] for line in shown(recent).splitlines()] == ["middle", "last[31m"]
    assert [line["message"] for line in json.loads(shown(filtered))] == ["START"]


def test_the_lines_of_one_request_only(state_dir: Path, group: None) -> None:
    boto3.client("logs", region_name="eu-central-1").put_log_events(
        logGroupName=GROUP,
        logStreamName="one",
        logEvents=[{"timestamp": int(NOW_S * 1_000), "message": '{"request_id": "4f-7a"}'}],
    )

    _, world = _run(state_dir, "search", "--request", "4f-7a", "--json")

    assert [line["message"] for line in json.loads(shown(world))] == ['{"request_id": "4f-7a"}']


@pytest.mark.parametrize("request_id", ["", 'a" ?"b', "a b", "x" * 129])
def test_what_is_no_request_id_is_refused(
    state_dir: Path, request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(state_dir, "search", "--request", request_id)

    assert caught.value.code == 2
    assert "--request" in capsys.readouterr().err


def test_a_quiet_function_is_said_and_is_no_failure(state_dir: Path, group: None) -> None:
    code, world = _run(state_dir, "search", "--minutes", "0.1")

    assert (code, shown(world)) == (0, "")
    assert remarked(world) == "search logged nothing in the last 0.1 minutes.\n"


LINE = {
    "level": "WARNING",
    "location": "_call:12",
    "message": "model call failed",
    "timestamp": "2026-11-23 12:00:00,000+0000",
    "service": "search",
    "outcome": "timeout",
    "detail": {"path": "a b.md"},
    "request_id": "4f-7a",
}
METRIC = {
    "_aws": {
        "CloudWatchMetrics": [{"Metrics": [{"Name": "documents_rejected"}], "Dimensions": [["reason"]]}]
    },
    "documents_rejected": [1.0],
    "reason": "damaged",
}


@pytest.mark.parametrize(
    ("line", "shown_as"),
    [
        (LINE, 'WARNING model call failed outcome=timeout path="a b.md" request_id=4f-7a'),
        (METRIC, "METRIC documents_rejected 1.0 reason=damaged"),
    ],
)
def test_lines_are_readable_or_raw(state_dir: Path, group: None, line: dict[str, Any], shown_as: str) -> None:
    text = json.dumps(line)
    boto3.client("logs", region_name="eu-central-1").put_log_events(
        logGroupName=GROUP,
        logStreamName="one",
        logEvents=[{"timestamp": int(NOW_S * 1_000), "message": text}],
    )

    _, readable = _run(state_dir, "search")
    _, raw = _run(state_dir, "search", "--raw")

    assert shown(readable).splitlines()[-1].split(" ", 1)[1] == shown_as
    assert shown(raw).splitlines()[-1].split(" ", 1)[1] == text


def test_a_stage_without_the_group_is_a_failure(state_dir: Path) -> None:
    code, world = _run(state_dir, "ingestion")

    assert code == 1
    assert remarked(world).startswith("no_logs: There is no log group /aws/lambda/haylift-local-ingestion")


@pytest.mark.parametrize("minutes", ["0", "-5", "nan", "inf", "ten", "30000"])
def test_a_time_that_cannot_be_is_refused(
    state_dir: Path, minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(state_dir, "search", "--minutes", minutes)

    assert caught.value.code == 2
    assert "--minutes" in capsys.readouterr().err


def test_every_function_of_the_project_can_be_named() -> None:
    folders = {contract.parent.name for contract in Path(__file__).parents[3].glob("functions/*/contract.py")}

    assert set(FUNCTIONS) == folders
