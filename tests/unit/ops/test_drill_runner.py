"""One drill: what it writes down first, what it waits for, and that it repairs whatever happens."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.drill.drill import Drill
from ops.drill.ground import minute_s_of
from ops.drill.verdict import Result
from tests.fakes.drills import Stand, ground, stand


def a_good_drill(at: Stand) -> Result:
    """What rings, clears and is named, as promised."""
    result = at.runner.run(at.drill)
    assert result.faults == ()
    return result


def test_a_fault_that_rings_and_clears_is_a_good_drill(tmp_path: Path) -> None:
    result = a_good_drill(stand(tmp_path))

    assert [times.alarm for times in result.times] == ["a-symptom"]
    assert (result.status, result.others, result.undeclared) == ("a-cause", (), ())


SEEDED: dict[str, Callable[[Path], Stand]] = {
    "a fault left out": lambda path: stand(path, rings=()),
    "an alarm that never clears": lambda path: stand(path, stays=("a-symptom",)),
    "an alarm that nobody declared": lambda path: stand(path, rings=("a-symptom", "third")),
    "a status that names another cause": lambda path: stand(path, causes=("b-cause", "a-cause")),
    "a status that names nothing": lambda path: stand(path, causes=()),
    "a fault that cannot be made": lambda path: stand(path, breaks_down=True),
}


@pytest.mark.parametrize("seeded", SEEDED)
def test_a_good_drill_is_told_from_a_bad_one(tmp_path: Path, seeded: str) -> None:
    with pytest.raises(AssertionError):
        a_good_drill(SEEDED[seeded](tmp_path))


def test_a_declared_alarm_may_ring_as_well(tmp_path: Path) -> None:
    result = a_good_drill(stand(tmp_path, rings=("a-symptom", "another")))

    assert result.others == ("another",)


def test_what_is_broken_is_written_down_first_and_forgotten_last(tmp_path: Path) -> None:
    at = stand(tmp_path)

    at.runner.run(at.drill)

    assert at.fault.log == ["learn", "inject, written down: True", "repair of 7"]
    assert at.runner.memory.broken() == {}


def test_it_repairs_also_when_it_could_not_break(tmp_path: Path) -> None:
    at = stand(tmp_path, breaks_down=True)

    result = at.runner.run(at.drill)

    assert at.fault.log[-1] == "repair of 7"
    assert result.fault == "OSError: no such part"


def test_each_drill_is_in_the_audit(tmp_path: Path) -> None:
    at = stand(tmp_path)

    at.runner.run(at.drill)

    assert getattr(at.runner.ground, "kept") == [("drill.start", "drill"), ("drill.end", "drill")]  # noqa: B009


def test_no_drill_begins_while_an_alarm_rings(tmp_path: Path) -> None:
    at = stand(tmp_path)
    at.alarms.states["third"] = "ALARM"
    at.runner.watch.look_once()

    result = at.runner.run(at.drill)

    assert result.fault == "alarms_ring: Before the drill began there rang third."
    assert at.fault.log == []


def test_alarms_of_a_drill_beside_it_do_not_hold_it_up(tmp_path: Path) -> None:
    at = stand(tmp_path)
    beside = Drill(**{**vars(at.drill), "name": "beside", "rings": {"third": 2}, "causes": ("b-cause",)})
    at.alarms.states["third"] = "ALARM"
    at.runner.watch.look_once()
    at.runner.others = lambda _: [beside]
    at.runner.status = lambda: ("b-cause", "a-cause")

    result = a_good_drill(at)

    assert result.status == "a-cause"


def test_a_kept_fault_stays_until_it_is_ended(tmp_path: Path) -> None:
    at = stand(tmp_path)

    kept = at.runner.run(at.drill, is_kept=True)
    known = at.runner.memory.broken()["drill"]
    ended = at.runner.end(at.drill, known)

    assert (kept.is_good, known, kept.times[0].cleared_s) == (True, {"before": 7}, None)
    assert ended.times[0].cleared_s is not None
    assert at.runner.memory.broken() == {}
    assert at.alarms.states["a-symptom"] == "OK"


def test_the_first_state_of_a_part_is_the_healthy_one(tmp_path: Path) -> None:
    memory = stand(tmp_path).runner.memory

    memory.add("drill", {"before": 7})
    memory.add("drill", {"before": 0})

    assert memory.broken() == {"drill": {"before": 7}}


def test_ground_reads_how_long_a_minute_is(tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text('{"minute_s": 10.0, "rate_limits": ""}')

    assert minute_s_of("local", tmp_path) == 10
    assert minute_s_of("dev", tmp_path) == 60
    assert minute_s_of("local", tmp_path / "nowhere") == 60
    assert ground(tmp_path).prefix == "haylift-local-"
