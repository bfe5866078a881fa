"""The drills as a whole: every alarm has one, none cheats, and what they say is true."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from ops.drill.catalogue import DRILLS
from ops.drill.drill import Drill, any_match
from ops.drill.local_faults import ROOT
from ops.drill.program import Program, chosen
from stacks.alarms.catalogue import catalogue
from stacks.alarms.parts import AlarmSpec
from stacks.environments import read_environment
from tests.contract.drift.contracts import function_names
from tests.fakes.drills import ground, stand

LOCAL = {"stage": "local", "cache_endpoint": "127.0.0.1:6379", "index_dir": "/var/lib/haylift/index"}
FORBIDDEN = ("put_metric_data", "PutMetricData", "set_alarm_state", "SetAlarmState", "disable_alarm_actions")


def alarm_names(specs: Iterable[AlarmSpec]) -> list[str]:
    """The alarms that tell somebody: parts of a composite do not."""
    return [
        name
        for spec in specs
        for name in (
            [spec.name]
            if spec.together
            else [f"{spec.name}/{watch.variant}" if watch.variant else spec.name for watch in spec.watches]
        )
    ]


def every_alarm_has_a_drill(alarms: Iterable[str], drills: Iterable[Drill]) -> None:
    must_ring = {pattern for drill in drills for pattern in drill.rings}
    assert [name for name in alarms if not any_match((name,), must_ring)] == []


def local_alarms() -> list[str]:
    return alarm_names(catalogue(read_environment(LOCAL.get), function_names()))


def test_every_alarm_of_the_local_stage_has_a_drill() -> None:
    every_alarm_has_a_drill(local_alarms(), DRILLS)


def test_an_alarm_without_a_drill_fails_the_same_check() -> None:
    with pytest.raises(AssertionError, match="disk-full"):
        every_alarm_has_a_drill([*local_alarms(), "disk-full"], DRILLS)
    with pytest.raises(AssertionError, match="heartbeat"):
        every_alarm_has_a_drill(local_alarms(), [one for one in DRILLS if one.name != "heartbeat-stop"])


def test_drills_expect_only_alarms_that_there_are() -> None:
    known = local_alarms()

    unknown = [name for drill in DRILLS for name in drill.declared if not any_match((name,), known)]

    assert unknown == []


def sources() -> dict[str, str]:
    files = [*(ROOT / "ops").rglob("*.py"), ROOT / "local" / "breakage.py"]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def nobody_rings_by_hand(texts: dict[str, str]) -> None:
    calls = {
        (path, node.attr)
        for path, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN
    }
    assert calls == set()
    assert [path for path, text in texts.items() if re.search("|".join(FORBIDDEN), text)] == []


def test_no_drill_writes_metrics_or_states() -> None:
    nobody_rings_by_hand(sources())


def test_a_drill_that_does_is_found() -> None:
    cheating = 'client("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="b")\n'

    with pytest.raises(AssertionError):
        nobody_rings_by_hand(sources() | {"ops/drill/cheat.py": cheating})


def test_the_causes_are_those_of_the_diagnosis() -> None:
    known = {
        name
        for rules in (ROOT / "ops").glob("*rules.py")
        for name in re.findall(r'name="([a-z-]+)"', rules.read_text(encoding="utf-8"))
    }

    assert {cause for drill in DRILLS for cause in drill.causes} <= known


def test_names_are_given_once_and_every_drill_says_what_is_felt() -> None:
    assert len({drill.name for drill in DRILLS}) == len(DRILLS)
    assert all(drill.breaks and drill.felt and drill.causes and drill.refusal for drill in DRILLS)


def test_drills_disturb_each_other_by_parts_by_alarms_and_by_needs(tmp_path: Path) -> None:
    one = stand(tmp_path).drill
    same_part = Drill(**{**vars(one), "name": "b", "rings": {"x": 1}, "may_ring": ()})
    same_alarm = Drill(**{**vars(one), "name": "c", "parts": frozenset({"other"})})
    apart = Drill(**{**vars(same_part), "name": "d", "parts": frozenset({"other"})})
    needy = Drill(**{**vars(apart), "name": "e", "needs": frozenset({"part"})})

    assert one.disturbs(same_part)
    assert not one.disturbs(same_part, is_broken=False)
    assert one.disturbs(same_alarm, is_broken=False)
    assert not one.disturbs(apart)
    assert one.disturbs(needy, is_broken=False)


def test_what_takes_too_long_or_may_not_run_here_is_left_out(tmp_path: Path) -> None:
    fast = ground(tmp_path)
    slow = type(fast)(fast.session, fast.deployment, minute_s=100.0)

    assert chosen(DRILLS, fast) == (list(DRILLS), {})
    assert set(chosen(DRILLS, slow)[1]) == {"backfill-stop", "audit-failing"}


def test_a_program_runs_all_and_none_beside_one_that_it_disturbs(tmp_path: Path) -> None:
    at = stand(tmp_path)
    again = Drill(**{**vars(at.drill), "name": "again"})

    results = Program(at.runner, [at.drill, again]).run()

    assert [result.drill.name for result in results] == ["drill", "again"]
    assert [result.faults for result in results] == [(), ()]
