"""`ops alarms`: what is watched, what rings, and what an alarm wants done first."""

import json
import re
from argparse import ArgumentParser, Namespace
from typing import Any

from ops.at_hand import at_hand
from ops.deployment import Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL, OpsFault, UsageFault
from ops.session import Session
from ops.sources import alarms, iso
from ops.state import AlarmState

ACTIONS = ("list", "show")
HISTORY_ITEMS = 10
COMMAND = re.compile(r"^\s*\d[.)] +(.+)$", re.MULTILINE)


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops alarms`."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of `show`; haylift-<stage>- may be left out")
    parser.add_argument("--firing", action="store_true", help="only those that ring")
    parser.epilog = "exit codes: 0 nothing rings, 1 failed, 2 asked wrongly, 3 an alarm rings"


def run(session: Session) -> int:
    """Shows all alarms, or one with its history."""
    options = session.options
    if options.action == "show":
        if options.name is None:
            raise UsageFault("name_missing", "Name the alarm: python -m ops alarms show NAME.")
        return _show(session, options.name)
    if options.name is not None:
        raise UsageFault("unexpected_name", f"To see one alarm: python -m ops alarms show {options.name}.")
    found = [one for one in alarms(session.deployment(), None) if one.is_ringing or not options.firing]
    nothing = "No alarm rings." if options.firing else "The stage has no alarms."
    session.terminal.result([_document(one) for one in found], [_line(one) for one in found] or [nothing])
    return EXIT_UNWELL if any(one.is_ringing for one in found) else EXIT_OK


def _show(session: Session, name: str) -> int:
    deployment = session.deployment()
    alarm = _named(deployment, name)
    session.terminal.result(*page_of(alarm, _history(deployment, alarm.name), session.options))
    return EXIT_UNWELL if alarm.is_ringing else EXIT_OK


def page_of(
    alarm: AlarmState, items: list[dict[str, Any]], options: Namespace
) -> tuple[dict[str, Any], list[str]]:
    """One alarm with its history (items of DescribeAlarmHistory), as a document and as lines."""
    history = [_change(item) for item in items]
    commands = [at_hand(command, options) for command in first_commands(alarm.description)]
    document = _document(alarm) | {
        "reason": alarm.reason,
        "description": alarm.description,
        "run_first": commands,
        "history": history,
    }
    lines = [
        _line(alarm),
        alarm.reason,
        "",
        "run first:",
        *(f"  {command}" for command in commands),
        f"runbook: {alarm.runbook or 'none'}",
        "",
        "history:" if history else "It has not changed its state yet.",
        *(f"  {item['at']}  {item['from']} -> {item['to']}  {item['reason']}" for item in history),
    ]
    return document, lines


def _named(deployment: Deployment, name: str) -> AlarmState:
    prefix = f"haylift-{deployment.stage}-"
    full_name = name if name.startswith(prefix) else prefix + name
    found = alarms(deployment, None)
    for alarm in found:
        if alarm.name == full_name:
            return alarm
    known = ", ".join(alarm.name.removeprefix(prefix) for alarm in found) or "none"
    raise OpsFault("alarm_unknown", f"There is no alarm {full_name}; there are: {known}.")


def first_commands(description: str) -> list[str]:
    """The numbered commands of an alarm's description.

    >>> first_commands("PAGE Searches fail.\\n1. aws logs tail x\\n2. python -m ops status")
    ['aws logs tail x', 'python -m ops status']
    """
    return [match.strip() for match in COMMAND.findall(description)]


def _history(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """The last changes of state, newest first."""
    items: list[dict[str, Any]] = deployment.client("cloudwatch").describe_alarm_history(
        AlarmName=name, HistoryItemType="StateUpdate", MaxRecords=HISTORY_ITEMS, ScanBy="TimestampDescending"
    )["AlarmHistoryItems"]
    return items


def _change(item: dict[str, Any]) -> dict[str, str]:
    """One change; its states and its reason stand in JSON (`HistoryData`)."""
    data = json.loads(item.get("HistoryData") or "{}")
    old, new = data.get("oldState", {}), data.get("newState", {})
    return {
        "at": iso(item["Timestamp"]),
        "from": str(old.get("stateValue", "")),
        "to": str(new.get("stateValue", "")),
        "reason": str(new.get("stateReason", "")),
    }


def _document(alarm: AlarmState) -> dict[str, Any]:
    return {
        "name": alarm.name,
        "state": alarm.state,
        "since": alarm.since,
        "severity": alarm.severity,
        "symptom": alarm.symptom,
        "runbook": alarm.runbook,
    }


def _line(alarm: AlarmState) -> str:
    return f"{alarm.state:17}  {alarm.severity:6}  {alarm.since:20}  {alarm.name}  {alarm.symptom}"
