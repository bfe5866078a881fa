"""Lock 4: every alarm has its runbook, every runbook its alarm."""

import copy
from collections.abc import Iterable
from pathlib import Path

import pytest

from stacks.alarms import CATALOGUE, MAX_DESCRIPTION_CHARS, description_of
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


def careless_alarms(alarms: Iterable[Resource]) -> list[str]:
    """Alarms that tell nobody, do not say what silence means, or say nothing useful."""
    return [
        alarm["AlarmName"]
        for alarm in alarms
        if not alarm.get("AlarmActions")
        or alarm.get("TreatMissingData") != "notBreaching"
        or "1. " not in alarm["AlarmDescription"]
        or "Runbook: docs/runbooks/" not in alarm["AlarmDescription"]
        or len(alarm["AlarmDescription"]) > MAX_DESCRIPTION_CHARS
    ]


def _alarms(stage: str) -> list[Resource]:
    return [alarm for _, _, alarm in resources(templates(stage), "AWS::CloudWatch::Alarm")]


@pytest.mark.parametrize("stage", STAGES)
def test_alarms_and_runbooks_have_the_same_names(stage: str) -> None:
    names = [alarm["AlarmName"] for alarm in _alarms(stage)]

    assert len(names) == sum(len(spec.watches) for spec in CATALOGUE)
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
    ("field", "value"), [("AlarmActions", []), ("TreatMissingData", "missing"), ("AlarmDescription", "slow")]
)
def test_a_careless_alarm_would_be_seen(field: str, value: object) -> None:
    alarm = copy.deepcopy(_alarms("dev")[0])
    alarm[field] = value

    assert careless_alarms([alarm]) == [alarm["AlarmName"]]


def test_an_alarm_without_a_runbook_does_not_synthesise() -> None:
    with pytest.raises(ValueError, match="The alarm search-lost needs a runbook"):
        description_of("search-lost")
