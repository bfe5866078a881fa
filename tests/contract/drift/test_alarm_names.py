"""Lock 4: every alarm has its runbook, every runbook its alarm."""

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from stacks.alarms.descriptions import MAX_DESCRIPTION_CHARS, description_of
from tests.contract.drift.contracts import ROOT
from tests.infra.assembly import STAGES, Resource, resources, templates

pytestmark = [pytest.mark.infra, pytest.mark.timeout(900)]

RUNBOOKS = ROOT / "docs" / "runbooks"


def alarm_faults(names: Iterable[str], stage: str, runbooks: Path) -> list[str]:
    """Alarms without a runbook and runbooks without an alarm. A name may end with `/<variant>`.

    `README.md` is of no alarm: it says how to run the commands.
    """
    prefix = f"haylift-{stage}-"
    symptoms = {name.removeprefix(prefix).split("/")[0] for name in names}
    files = {path.stem for path in runbooks.glob("*.md")} - {"README"}
    return [
        *(f"{name} has no runbook" for name in sorted(symptoms - files)),
        *(f"{name} has no alarm" for name in sorted(files - symptoms)),
    ]


MISSING = {"heartbeat": "breaching", "dead-letters": "ignore", "index-drift": "ignore"}
"""What silence means, where it is not simply good: no heartbeat, a queue that SQS stopped reporting, and no
whole reconcile since the last one."""


def careless_alarms(alarms: Iterable[Resource]) -> list[str]:
    """Alarms that tell nobody (or not when it is over), take silence wrongly, or say nothing useful.

    Composite alarms have no data of their own; parts of one tell nobody by themselves.
    """
    return [alarm["AlarmName"] for alarm in alarms if any(_carelessness(alarm))]


def _carelessness(alarm: Resource) -> Iterator[bool]:
    text = alarm["AlarmDescription"]
    word = text.split(" ")[0]
    symptom = alarm["AlarmName"].split("-", 2)[2].split("/")[0]
    yield word not in {"PAGE", "TICKET", "PART"}
    for actions in (alarm.get("AlarmActions", []), alarm.get("OKActions", [])):
        yield _told(actions) != {"PAGE": ["Page"], "TICKET": ["Ticket"], "PART": []}[word]
    if "AlarmRule" not in alarm:
        yield alarm.get("TreatMissingData") != MISSING.get(symptom, "notBreaching")
    yield any(f"\n{number}. python -m ops " not in text for number in (1, 2, 3))
    yield not text.endswith(f"\nRunbook: docs/runbooks/{symptom}.md")
    yield len(text) > MAX_DESCRIPTION_CHARS


def _told(actions: list[dict[str, str]]) -> list[str]:
    """The severities of the topics that are told."""
    return [name for action in actions for name in ("Page", "Ticket") if f"OnCall{name}" in action["Ref"]]


def _alarms(stage: str) -> list[Resource]:
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    return [alarm for kind in kinds for _, _, alarm in resources(templates(stage), kind)]


@pytest.mark.parametrize("stage", STAGES)
def test_alarms_and_runbooks_have_the_same_names(stage: str) -> None:
    names = [alarm["AlarmName"] for alarm in _alarms(stage)]

    assert len(names) == len(set(names))
    assert alarm_faults(names, stage, RUNBOOKS) == []


def test_a_missing_runbook_and_a_lost_one_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "search-fast.md").write_text("")
    (tmp_path / "README.md").write_text("")

    faults = alarm_faults(["haylift-dev-search-slow/query"], "dev", tmp_path)

    assert faults == ["search-slow has no runbook", "search-fast has no alarm"]


@pytest.mark.parametrize("stage", STAGES)
def test_an_alarm_tells_somebody_what_to_do_first(stage: str) -> None:
    assert careless_alarms(_alarms(stage)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("AlarmActions", []),
        ("OKActions", []),
        ("AlarmActions", [{"Ref": "OnCallTicket"}]),
        ("TreatMissingData", "missing"),
        ("AlarmDescription", "PAGE slow"),
    ],
)
def test_a_careless_alarm_would_be_seen(field: str, value: object) -> None:
    alarm = copy.deepcopy(next(a for a in _alarms("dev") if a["AlarmName"] == "haylift-dev-api-errors"))
    alarm[field] = value

    assert careless_alarms([alarm]) == [alarm["AlarmName"]]


def test_an_alarm_without_a_runbook_does_not_synthesise() -> None:
    with pytest.raises(ValueError, match="The alarm search-lost needs a runbook"):
        description_of("search-lost", first_word="PAGE", stage="dev")


def test_a_description_that_is_too_long_does_not_synthesise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = "python -m ops status\n" * 3
    text = f"## Symptom\n\n{'slow ' * 250}\n\n## First three commands\n\n```bash\n{commands}```\n"
    (tmp_path / "endless.md").write_text(text)
    monkeypatch.setattr("stacks.alarms.descriptions.RUNBOOKS", tmp_path)

    with pytest.raises(ValueError, match="characters do not fit"):
        description_of("endless", first_word="PAGE", stage="dev")
