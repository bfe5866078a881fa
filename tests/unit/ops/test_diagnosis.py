"""Each fault's evidence is named first, and by its own rule."""

from collections.abc import Sequence

import pytest

from ops.diagnosis import Rule, diagnose
from ops.rules import RULES
from ops.state import Snapshot
from tests.unit.ops.snapshots import FAULTS


def check_named_first(seen: Snapshot, name: str, rules: Sequence[Rule]) -> None:
    """The diagnosis names this cause before all others."""
    assert [cause.name for cause in diagnose(seen, rules)][:1] == [name]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_first(fault: str) -> None:
    name, seen = FAULTS[fault]

    check_named_first(seen, name, RULES)


@pytest.mark.parametrize("fault", FAULTS)
def test_without_its_rule_a_fault_is_not_named(fault: str) -> None:
    name, seen = FAULTS[fault]
    others = [rule for rule in RULES if (cause := rule(seen)) is None or cause.name != name]

    assert len(others) == len(RULES) - 1
    with pytest.raises(AssertionError):
        check_named_first(seen, name, others)


def test_every_rule_is_fired_by_a_fault() -> None:
    fired = {rule.__name__ for _, seen in FAULTS.values() for rule in RULES if rule(seen) is not None}

    assert fired == {rule.__name__ for rule in RULES}
