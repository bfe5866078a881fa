"""`ops drill`: what it shows, what it refuses, what it repairs."""

import json
from pathlib import Path

import pytest
from haylift.audit import Outcome

from ops import audit
from ops.cli import main
from ops.drill.catalogue import DRILLS
from ops.drill.drill import Drill
from ops.drill.ground import Ground
from ops.drill.memory import Memory
from ops.drill.report import document, lines
from ops.drill.verdict import AlarmTimes, Result, never_rang
from tests.fakes.drills import stand
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import client, deploy

pytestmark = pytest.mark.usefixtures("aws")


def run(state_dir: Path, *words: str) -> tuple[int, str, str]:
    world = captured_world()
    exit_code = main(["drill", *words, "--state-dir", str(state_dir)], world)
    return exit_code, shown(world), remarked(world)


def test_lists_every_drill_with_what_it_costs(state_dir: Path) -> None:
    exit_code, out, _ = run(state_dir, "list")

    assert exit_code == 0
    assert all(f"{drill.name} (runs here)" in out for drill in DRILLS)
    assert "rings   model-endpoint-failing/calls within 120 s" in out
    listed = json.loads(run(state_dir, "list", "--json")[1])["drills"]
    assert [one["name"] for one in listed] == [drill.name for drill in DRILLS]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "model-stop"), "yes_missing"),
        (("all",), "yes_missing"),
        (("run", "nothing", "--yes"), "drill_unknown"),
        (("run", "poison-file", "--keep", "--yes"), "drill_not_kept"),
        (("run", "model-start"), "drill_not_kept"),
    ],
)
def test_refuses_what_was_asked_wrongly(state_dir: Path, words: tuple[str, ...], code: str) -> None:
    exit_code, _, err = run(state_dir, *words)

    assert exit_code == 2
    assert err.startswith(f"{code}: ")


def test_begins_nothing_beside_a_fault_that_was_left(state_dir: Path) -> None:
    Memory(state_dir).add("heartbeat-stop", {})

    exit_code, _, err = run(state_dir, "run", "key-disable", "--yes")

    assert exit_code == 1
    assert err.startswith("drill_unfinished: An earlier drill left heartbeat-stop broken")


def test_undo_repairs_what_a_killed_drill_left(state_dir: Path) -> None:
    deploy(state_dir)
    client("events").disable_rule(Name="haylift-local-heartbeat")
    Memory(state_dir).add("heartbeat-stop", {})

    first, again = run(state_dir, "undo"), run(state_dir, "undo", "--json")

    assert first[:2] == (0, "repaired: heartbeat-stop; files of drills removed: 0\n")
    assert json.loads(again[1]) == {"repaired": [], "files_removed": 0}
    assert client("events").describe_rule(Name="haylift-local-heartbeat")["State"] == "ENABLED"


def result_of(drill: Drill, cleared_s: float | None) -> Result:
    times = AlarmTimes(
        alarm="a-symptom", detected_s=61.4, cleared_s=cleared_s, detect_limit_s=120, clear_limit_s=300
    )
    return Result(drill=drill, times=(times,), status="a-cause")


def test_the_table_shows_both_times_and_the_verdict(state_dir: Path) -> None:
    drill = stand(state_dir).drill

    good = lines([result_of(drill, 90.2)], ["disk-full"], {"long": "takes 34 minutes"})
    bad = lines([result_of(drill, None)], [], {})

    assert good == [
        "drill  alarm      rang after s  limit  OK after s  limit  verdict",
        "drill  a-symptom  61            120    90          300    status: a-cause",
        "long: left out, takes 34 minutes",
        "never rang: disk-full",
        "1 of 1 drills as promised",
    ]
    assert bad[1:] == [
        "drill  a-symptom  61            120    -           300    FAILED",
        "drill: a-symptom did not keep its times",
        "0 of 1 drills as promised",
    ]


def test_the_document_says_the_same(state_dir: Path) -> None:
    found = document([result_of(stand(state_dir).drill, 90.2)], ["disk-full"], {})

    assert (found["is_good"], found["never_rang"]) == (True, ["disk-full"])
    assert found["drills"][0]["alarms"][0]["detected_s"] == 61.4
    json.dumps(found)


def test_an_alarm_that_no_drill_fired_is_told(state_dir: Path) -> None:
    results = [result_of(stand(state_dir).drill, 90.2)]

    assert never_rang(["a-symptom", "another"], results) == ("another",)


def left_broken(state_dir: Path) -> None:
    """Two faults in place, a drill that is not known any more between them, and a broken audit."""
    deploy(state_dir)
    client("events").disable_rule(Name="haylift-local-heartbeat")
    client("kms").disable_key(KeyId=key_of(state_dir))
    client("s3").delete_bucket(Bucket="audit")
    memory = Memory(state_dir)
    memory.add("heartbeat-stop", {})
    memory.add("renamed-drill", {})
    memory.add("key-disable", {"key": key_of(state_dir)})


def key_of(state_dir: Path) -> str:
    """The key that signs tokens."""
    return str(json.loads((state_dir / "outputs.json").read_text())["outputs"]["SigningKeyId"])


def check_each_repair_is_its_own(state_dir: Path) -> None:
    """Both faults are gone, the unknown one is told, and the audit's fault is told once."""
    exit_code, out, err = run(state_dir, "undo")

    assert client("events").describe_rule(Name="haylift-local-heartbeat")["State"] == "ENABLED"
    assert client("kms").describe_key(KeyId=key_of(state_dir))["KeyMetadata"]["KeyState"] == "Enabled"
    assert exit_code == 1
    assert out.startswith("repaired: heartbeat-stop, key-disable; files of drills removed: 0\n")
    assert "not repaired: renamed-drill (no such drill here" in out
    assert err.count("the audit does not have it") == 1
    assert list(Memory(state_dir).broken()) == ["renamed-drill"]


def test_undo_goes_on_beside_a_broken_audit_and_an_unknown_drill(state_dir: Path) -> None:
    left_broken(state_dir)

    check_each_repair_is_its_own(state_dir)


def test_the_check_finds_an_audit_that_stops_repairs(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keeps(ground: Ground, action: str, drill: str) -> None:
        audit.record(ground.deployment, action, drill, Outcome.ALLOWED)

    left_broken(state_dir)
    monkeypatch.setattr(Ground, "keep_record", keeps)

    with pytest.raises(AssertionError):
        check_each_repair_is_its_own(state_dir)


@pytest.mark.parametrize("text", ["{", "[]", '{"heartbeat-stop": 7}'])
def test_undo_says_what_to_do_with_a_damaged_file(state_dir: Path, text: str) -> None:
    deploy(state_dir)
    (state_dir / "drills.json").write_text(text)

    exit_code, out, _ = run(state_dir, "undo", "--json")
    begun = run(state_dir, "run", "key-disable", "--yes")

    assert exit_code == 1
    assert "then remove the file" in json.loads(out)["not_repaired"]["drills.json"]
    assert begun[0] == 1
    assert begun[2].startswith("drills_damaged: ")
