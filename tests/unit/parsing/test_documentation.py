"""docs/formats.md says what the registry does."""

from importlib.util import find_spec
from pathlib import Path

from haylift.parsing.registry import FORMATS, Format

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"


def documented() -> dict[str, frozenset[str]]:
    """Extensions by module."""
    rows = [
        line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    return {row[2].strip(" `"): frozenset(row[3].split()) for row in rows if "`" in row[2]}


def drift(formats: tuple[Format, ...]) -> set[str]:
    """Modules whose row is missing, too many or of other extensions."""
    known = {one.module: one.extensions for one in formats}
    return {module for module, _ in known.items() ^ documented().items()}


def test_the_table_is_the_registry() -> None:
    assert drift(FORMATS) == set()


def test_a_forgotten_row_would_be_seen() -> None:
    assert drift(FORMATS[1:]) == {"pdf"}


def test_every_format_has_its_module() -> None:
    missing = [one.module for one in FORMATS if find_spec(f"haylift.parsing.{one.module}") is None]

    assert missing == []
