"""`ops alarms` and `ops inbox`, against moto's CloudWatch and SQS."""

import json
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.alarms import page_of
from ops.cli import main
from ops.inbox import notice_of
from ops.state import AlarmState
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import ALARM_DESCRIPTION, client, deploy, notify, put_alarm, set_state

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def outputs(state_dir: Path, aws: None) -> dict[str, str]:  # after moto
    return deploy(state_dir)


def _run(state_dir: Path, *command: str) -> tuple[int, str, str]:
    world = captured_world()
    exit_code = main([*command, "--state-dir", str(state_dir)], world)
    return exit_code, shown(world), remarked(world)


@pytest.mark.usefixtures("outputs")
def test_quiet_alarms_exit_with_0(state_dir: Path) -> None:
    exit_code, out, _ = _run(state_dir, "alarms", "--json")

    assert exit_code == 0
    (alarm,) = json.loads(out)
    assert alarm["name"] == "haylift-local-model-endpoint-failing"
    assert (alarm["state"], alarm["severity"]) == ("OK", "PAGE")
    assert alarm["symptom"] == "Calls of the embedding endpoint fail."
    assert alarm["runbook"] == "docs/runbooks/model-endpoint-failing.md"
    assert _run(state_dir, "alarms", "--firing")[:2] == (0, "No alarm rings.\n")


@pytest.mark.usefixtures("outputs")
def test_a_ringing_alarm_exits_with_3(state_dir: Path) -> None:
    put_alarm("search-slow")
    set_state("search-slow", "ALARM", "too slow")

    exit_code, out, _ = _run(state_dir, "alarms", "--firing", "--json")

    assert exit_code == 3
    assert [alarm["name"] for alarm in json.loads(out)] == ["haylift-local-search-slow"]


def test_one_alarm_says_what_to_run_first_and_what_happened() -> None:
    alarm = AlarmState(
        name="haylift-local-search-slow",
        state="ALARM",
        severity="PAGE",
        since="2026-11-23T12:00:00Z",
        symptom="Searches are slow.",
        runbook="docs/runbooks/search-slow.md",
        reason="3 of 5 minutes",
        description=ALARM_DESCRIPTION,
    )
    states = {
        "oldState": {"stateValue": "OK"},
        "newState": {"stateValue": "ALARM", "stateReason": "3 of 5 minutes"},
    }
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)

    where = Namespace(stage="local", state_dir="/srv/hay lift", region=None)
    document, lines = page_of(alarm, [{"Timestamp": at, "HistoryData": json.dumps(states)}], where)

    assert document["run_first"] == [
        "python -m ops --state-dir '/srv/hay lift' status",
        "python -m ops --state-dir '/srv/hay lift' logs search --minutes 15",
    ]
    assert lines[-1] == "  2026-11-23T12:00:00Z  OK -> ALARM  3 of 5 minutes"


@pytest.mark.usefixtures("outputs")
def test_an_unknown_alarm_names_those_there_are(state_dir: Path) -> None:
    exit_code, _, err = _run(state_dir, "alarms", "show", "coffee")

    assert exit_code == 1
    assert err == (
        "alarm_unknown: There is no alarm haylift-local-coffee; there are: model-endpoint-failing.\n"
    )


@pytest.mark.usefixtures("outputs")
@pytest.mark.parametrize("command", [("alarms", "show"), ("alarms", "list", "x")])
def test_a_name_belongs_to_show(state_dir: Path, command: tuple[str, ...]) -> None:
    assert _run(state_dir, *command)[0] == 2


def test_the_inbox_shows_the_newest_first_and_keeps_all(state_dir: Path, outputs: dict[str, str]) -> None:
    url = outputs["OnCallInboxUrl"]
    notify(url, at="2026-11-23T12:00:00Z", alarm="haylift-local-search-slow", old="OK", new="ALARM")
    notify(url, at="2026-11-23T12:04:00Z", alarm="haylift-local-search-slow", old="ALARM", new="OK")

    first, again = _run(state_dir, "inbox"), _run(state_dir, "inbox", "--json")

    assert first[1].splitlines() == [
        "2026-11-23T12:04:00Z  ALARM -> OK                 haylift-local-search-slow  OK because of a test",
        "2026-11-23T12:00:00Z  OK -> ALARM                 haylift-local-search-slow  "
        "ALARM because of a test",
    ]
    assert [notice["new_state"] for notice in json.loads(again[1])] == ["OK", "ALARM"]


def first_notices(url: str, count: int) -> None:
    """What a first deploy puts into the inbox, and one alarm that matters."""
    for number in range(count):
        at = f"2026-11-23T11:00:{number:02}Z"
        notify(url, at=at, alarm=f"haylift-local-alarm-{number}", old="INSUFFICIENT_DATA", new="OK")
    notify(url, at="2026-11-23T12:00:00Z", alarm="haylift-local-search-slow", old="OK", new="ALARM")


@pytest.mark.parametrize(
    ("count", "told"),
    [(26, "26 alarms began at OK; --all shows them"), (1, "1 alarm began at OK; --all shows them")],
)
def test_alarms_that_began_at_ok_are_one_line(
    state_dir: Path, outputs: dict[str, str], count: int, told: str
) -> None:
    first_notices(outputs["OnCallInboxUrl"], count)

    _, out, _ = _run(state_dir, "inbox")

    change, folded = out.splitlines()
    assert "haylift-local-search-slow" in change
    assert folded == told


def test_all_of_them_are_there_when_asked_for(state_dir: Path, outputs: dict[str, str]) -> None:
    first_notices(outputs["OnCallInboxUrl"], 26)

    every, document = _run(state_dir, "inbox", "--all")[1], _run(state_dir, "inbox", "--json")[1]

    assert len(every.splitlines()) == 27
    assert "began at OK" not in every
    notices = json.loads(document)
    assert [notice["is_first"] for notice in notices] == [False] + [True] * 26
    assert [notice["alarm"] for notice in notices if not notice["is_first"]] == ["haylift-local-search-slow"]


@pytest.mark.parametrize(("old", "new"), [("INSUFFICIENT_DATA", "ALARM"), ("ALARM", "OK")])
def test_what_rings_or_ends_is_never_folded(
    state_dir: Path, outputs: dict[str, str], old: str, new: str
) -> None:
    notify(outputs["OnCallInboxUrl"], at="2026-11-23T12:00:00Z", alarm="haylift-local-api", old=old, new=new)

    assert f"{old} -> {new}" in _run(state_dir, "inbox")[1]


def test_what_is_taken_is_gone(state_dir: Path, outputs: dict[str, str]) -> None:
    url = outputs["OnCallInboxUrl"]
    for minute in range(12):
        at = f"2026-11-23T12:{minute:02}:00Z"
        notify(url, at=at, alarm="haylift-local-search-slow", old="OK", new="ALARM")

    _, out, err = _run(state_dir, "inbox", "--take")

    assert len(out.splitlines()) == 12
    assert err == "12 removed from the inbox.\n"
    assert _run(state_dir, "inbox")[1:] == ("", "The inbox is empty.\n")
    assert "Messages" not in client("sqs").receive_message(QueueUrl=url)


def test_a_message_that_is_no_alarm_is_shown_as_it_is() -> None:
    notice = notice_of({"Body": "hello", "ReceiptHandle": "r"})

    assert (notice.alarm, notice.reason, notice.at) == ("no alarm", "hello", "")
