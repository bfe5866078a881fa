"""docs/from-the-guides.md names only what exists, and forgets nothing that callers and dashboards use."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from haylift.routes import ALL_ROUTES
from haylift.telemetry import SHAPES, Metric

from ops.cli import build_parser
from tests.contract.drift.contracts import contract_of, function_names

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "docs" / "from-the-guides.md"
NOT_THERE = "not there"
METRIC = re.compile(r"([a-z][a-z_]+)(?:\{([a-z_,]+)\})?")


def entries(text: str) -> Iterator[tuple[str, str]]:
    """The first two columns of every row."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] != "the guides":
            assert len(cells) == 3, line
            yield cells[0], cells[1]


def unknown(text: str) -> list[str]:
    """Names in the second column that name nothing, and rows that name nothing at all."""
    faults = []
    for guide, here in entries(text):
        if here == NOT_THERE:
            continue
        names = re.findall(r"`([^`]+)`", here)
        faults += [f"{guide}: says nothing that exists"] if not names else []
        faults += [f"{guide}: {name}" for name in names if not exists(name)]
    return faults


def exists(name: str) -> bool:
    """Whether a name names something: by its look, exactly one kind applies."""
    return next(is_known(name) for pattern, is_known in KINDS if re.match(pattern, name))


def is_file(name: str) -> bool:
    """Whether a file is there, and the name after the colon in it."""
    path, _, part = name.partition(":")
    return (ROOT / path).is_file() and re.search(rf"\b{part}\b", (ROOT / path).read_text()) is not None


def is_target(name: str) -> bool:
    """Whether the Makefile has the target."""
    target = name.removeprefix("make ")
    return re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None


@cache
def commands() -> set[str]:
    """The operators' commands."""
    help_text = build_parser().format_help()
    return set(re.findall(r"^    ([a-z]+)\b", help_text, re.MULTILINE))


def is_setting(name: str) -> bool:
    """Whether a function has a setting of that name."""
    function, field = name.split(".", 1)
    if function not in function_names():
        return False
    return field in {one.name for one in fields(contract_of(function).Settings)}


def is_metric(name: str) -> bool:
    """Whether the registry has the metric, with exactly these labels where some are given."""
    found = METRIC.fullmatch(name)
    metric = {metric.value: metric for metric in Metric}.get(found[1]) if found else None
    if found is None or metric is None:
        return False
    labels = {dimension.value for dimension in SHAPES[metric].dimensions}
    return found[2] is None or set(found[2].split(",")) == labels


def is_endpoint_setting(name: str) -> bool:
    """Whether the model endpoint has the setting."""
    schema = json.loads((ROOT / "gpu_endpoint" / "settings.schema.json").read_text())
    return name in schema["properties"]


KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("(GET|POST|DELETE) /", lambda name: name in {f"{route.method} {route.path}" for route in ALL_ROUTES}),
    ("ops ", lambda name: name.removeprefix("ops ") in commands()),
    ("make ", is_target),
    ("HAYLIFT_ENDPOINT_", is_endpoint_setting),
    (".*/", is_file),
    (r".*\.", is_setting),
    ("", is_metric),
)
"""How each kind of name looks; the first pattern that fits decides."""


def test_every_name_exists() -> None:
    assert unknown(TABLE.read_text()) == []


@pytest.mark.parametrize(
    "name",
    [
        "POST /v1/searches",
        "haystack_requests_total{method,status}",
        "haystack_requests",
        "search.allowed_origin",
        "searching.stage",
        "ops cure",
        "make coffee",
        "HAYLIFT_ENDPOINT_COLOUR",
        "stacks/nothing.py",
        "stacks/function.py:ALIASES",
    ],
)
def test_a_name_of_nothing_would_be_seen(name: str) -> None:
    row = f"| the guides | Haylift | how |\n|---|---|---|\n| thing | `GET /ready`, `{name}` | why |\n"

    assert unknown(row) == [f"thing: {name}"]


def test_a_row_that_names_nothing_would_be_seen() -> None:
    assert unknown("| thing | soon | why |\n") == ["thing: says nothing that exists"]


def test_no_alias_and_no_metric_of_the_guides_is_forgotten() -> None:
    told = " ".join(here for _, here in entries(TABLE.read_text()))

    aliases = [f"{route.method} {route.path}" for route in ALL_ROUTES if route.alias_of]
    named = [metric.value for metric in Metric if metric.value.startswith("haystack_")]
    assert [name for name in aliases + named if f"`{name}" not in told] == []
    assert (len(aliases), len(named)) == (4, 6)
