"""Filter patterns, by the examples of "Filter pattern syntax"."""

import json

import pytest

from local.emulator.log_patterns import PatternFault, compiled

EVENT = json.dumps({
    "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": None, "cluster.name": "c",
    "user": {"id": 1, "name": "John.Stiles"}, "isOn": True, "latency": 12.5, "status": 404,
})  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "does_match"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "Update" }', False),
        ('{ $.eventType = "*Trail" }', True),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id = 2 }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeOtherObject IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.isOn IS TRUE }", True),
        ('{ $["cluster.name"] = "c" }', True),
        ("{ $.latency > 12 && $.latency <= 12.5 }", True),
        ("{ $.status = 4* }", False),
        ("{ $.status = 404 }", True),
        ("{ $.user.id = 2 || $.user.name = John* }", True),
        ("{ ($.user.id = 1) && ($.user.id = 2 || $.status = 404) }", True),
        ("{ $.user.email = * }", False),
        ('{ $.user.email != "-" }', False),
        ("{ $.user = * }", True),
        ("{ $.eventType = %^Up.*l$% }", True),
    ],
)
def test_json_pattern(pattern: str, does_match: bool) -> None:
    assert compiled(pattern)(EVENT) is does_match


@pytest.mark.parametrize(
    ("pattern", "does_match"),
    [
        ("", True), ("ERROR", True), ("error", False), ("ERROR CODE", True), ("ERROR GONE", False),
        ("?GONE ?CODE", True), ("?GONE ?LOST", False), ("ERROR -CODE", False), ("ERROR -GONE", True),
        ('"ERROR CODE"', False), ('"CODE 400"', True), ("%CODE [0-9]{3}%", True), ("%CODE [0-9]{4}%", False),
        ("{ $.a = * }", False),
    ],
)  # fmt: skip
def test_text_pattern(pattern: str, does_match: bool) -> None:
    assert compiled(pattern)("[ERROR] CODE 400 BAD REQUEST") is does_match


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a > x }",
        "{ $.a = 1",
        "[w1, w2]",
        "{ ($.a = 1 }",
        "{ $.a IS X }",
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(PatternFault, match="Invalid filter pattern"):
        compiled(pattern)


def test_what_is_no_json_does_not_match() -> None:
    assert not compiled("{ $.a NOT EXISTS }")("{ not json")
