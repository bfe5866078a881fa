"""What README.md and docs/flow.md name exists: files, make targets, commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from haylift.routes import ALL_ROUTES

from ops.cli import build_parser

ROOT = Path(__file__).parents[3]
PLACES = (ROOT, ROOT / "layers" / "core" / "python" / "haylift", ROOT / "functions" / "search")
PAGES = ("README.md", "docs/flow.md")
GENERATED = (".local/", ".venv/", ".tools/", "node_modules/")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(/[\w.*-]+)*/?")
ROUTE = re.compile(r"`(GET|POST|DELETE) ([^`]+)`")
SUFFIXES = (".py", ".md", ".json", ".toml", ".txt", "/")


def _spans(text: str) -> list[str]:
    return SPAN.findall(FENCE.sub("", text))


def _paths(text: str) -> Iterator[str]:
    for span in _spans(text):
        is_path = PATH.fullmatch(span) and ("/" in span or span.endswith(SUFFIXES))
        if is_path and not span.startswith(GENERATED):
            yield span


def _commands(text: str) -> Iterator[str]:
    for fence in FENCE.findall(text):
        yield from fence.splitlines()
    yield from _spans(text)


def check_paths(text: str) -> None:
    """Each path in backticks exists in the checkout, in the core package, or in a function's folder."""
    paths = list(_paths(text))
    assert len(paths) >= 10
    assert [path for path in paths if not any((place / path).exists() for place in PLACES)] == []


def check_targets(text: str) -> None:
    """Each `make` target that is named stands in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {match[1] for line in _commands(text) if (match := re.match(r"make ([a-z]+)", line))}
    assert {"up", "test"} <= named
    assert named - targets == set()


def check_commands(text: str) -> None:
    """Each command of ops that can be pasted is one that it knows."""
    prefix = ".venv/bin/python -m ops "
    commands = [line.removeprefix(prefix) for line in _commands(text) if line.startswith(prefix)]
    assert len(commands) >= 4
    for command in commands:
        build_parser().parse_args(shlex.split(command))


def check_routes(text: str) -> None:
    """The README's table names exactly the routes that there are, with their permissions; aliases aside."""
    named = {
        route: row.split("|")[2].strip()
        for row in text.splitlines()
        if row.startswith("| `") and ROUTE.search(row)
        for route in ROUTE.findall(row.split("|")[1])
    }
    assert named == {
        (route.method, route.path): route.permission.value if route.permission else "none"
        for route in ALL_ROUTES
        if not route.alias_of
    }


def test_the_table_of_routes_is_whole() -> None:
    check_routes((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_named_file_exists(page: str) -> None:
    check_paths((ROOT / page).read_text(encoding="utf-8"))


def test_every_named_target_exists() -> None:
    check_targets((ROOT / "README.md").read_text(encoding="utf-8"))


def test_every_command_of_the_readme_is_known() -> None:
    check_commands((ROOT / "README.md").read_text(encoding="utf-8"))


def test_every_command_of_the_handbook_is_known() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "samples").glob("*.md")))

    check_commands(text)


def test_the_checks_can_fail() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    with pytest.raises(AssertionError):
        check_paths(readme + "\nSee `docs/missing.md`.\n")
    with pytest.raises(AssertionError):
        check_routes(readme.replace("`POST /v1/feedback`", "`feedback`"))
    with pytest.raises(AssertionError):
        check_routes(readme.replace("| `POST /v1/documents` | write |", "| `POST /v1/documents` | read |"))
    with pytest.raises(AssertionError):
        check_targets(readme + "\nRun `make coffee`.\n")
    with pytest.raises(SystemExit):
        check_commands(readme + "\n```bash\n.venv/bin/python -m ops dance\n```\n")
