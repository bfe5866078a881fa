"""Other text for the same bytes has another recipe: else documents keep chunks of converters that are gone.

`recipes.json` has what each recipe makes of fixed files. After a change that is meant, raise `RECIPE`
(converters) or `RECIPE_VERSION` (splitting) and add the new line that the failing test shows.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from haylift.adapters.parser_process import RECIPE
from haylift.domain.chunks import Block
from haylift.parsing.converter import SourceFile
from haylift.parsing.registry import FORMATS, choose
from haylift.pipelines.indexing import RECIPE_VERSION
from haylift.services.cleaning import clean_block
from haylift.services.splitting import SplitLimits, split_blocks

from tests.unit.ingestion.files import handbook, pdf, word
from tests.unit.parsing.made_files import book, mail, sheets, slides

KNOWN: Mapping[str, Mapping[str, str]] = json.loads(Path(__file__).with_name("recipes.json").read_text())

PROSE = b"""# Harbour

Berths cost more in summer. Winter is cheap.

- one
- two

| a | b |
|---|---|
| 1 | 2 |
"""
FILES: Mapping[str, Callable[[], bytes]] = {
    "a.pdf": lambda: pdf("The first page.", "The second page.", title="Pages"),
    "a.docx": lambda: word(handbook),
    "a.pptx": slides,
    "a.xlsx": sheets,
    "a.epub": book,
    "a.rtf": lambda: rb"{\rtf1\ansi Ships {\b arrive} in May.\par They leave in June.\par}",
    "a.html": lambda: b"<html><title>T</title><body><h1>Head</h1><p>Text.</p><ul><li>one</ul></body></html>",
    "a.eml": mail,
    "a.jsonl": lambda: b'{"berth": "A1", "price": 12}\n{"berth": "A2", "price": 14}\n',
    "a.json": lambda: b'{"harbour": {"berths": ["A1", "A2"], "open": true}}',
    "a.csv": lambda: b"berth,price\nA1,12\nA2,14\n",
    "a.md": lambda: PROSE,
    "a.txt": lambda: b"One paragraph.\n\nAnother one, with caf\xe9.\n",
}
LIMITS = SplitLimits(max_tokens=12, overlap_tokens=4)


def _blocks(folder: Path) -> Iterator[tuple[str, str, list[Block]]]:
    for name, made in FILES.items():
        path = folder / name
        path.write_bytes(made())
        source = SourceFile(path=path, stem="a", content_type="")
        converted = choose(source).converter()(source)
        yield name, converted.title, list(converted.blocks)


def made_now(folder: Path) -> dict[str, dict[str, str]]:
    """A digest of what converters make of the files, and one of what cleaning and splitting make of that."""
    read = list(_blocks(folder))
    texts = [block for _, _, blocks in read for block in blocks if block.text]
    pieces = list(split_blocks([clean_block(block) for block in texts], LIMITS))
    return {"parser": {RECIPE: _digest(read)}, "splitting": {str(RECIPE_VERSION): _digest(pieces)}}


def _digest(made: object) -> str:
    return hashlib.sha256(repr(made).encode()).hexdigest()


def faults(made: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What the present recipes make that is not known to be theirs."""
    return [
        f"{part}: what recipe {recipe} makes is {digest}; raise the recipe and note it in recipes.json"
        for part, by_recipe in made.items()
        for recipe, digest in by_recipe.items()
        if KNOWN[part].get(recipe) != digest
    ]


def test_the_recipes_make_what_they_made_before(tmp_path: Path) -> None:
    # A format without a file here would change in silence.
    assert {suffix for known in FORMATS for suffix in known.extensions} >= {
        Path(name).suffix for name in FILES
    }
    assert len(FILES) == len(FORMATS)
    assert faults(made_now(tmp_path)) == []


@pytest.mark.parametrize("part", ["parser", "splitting"])
def test_a_change_without_a_new_recipe_is_noticed(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if part == "parser":
        monkeypatch.setitem(FILES, "a.txt", lambda: b"One paragraph, read otherwise.\n")
    else:
        monkeypatch.setattr(f"{__name__}.LIMITS", SplitLimits(max_tokens=11, overlap_tokens=4))

    assert any(fault.startswith(f"{part}: ") for fault in faults(made_now(tmp_path)))
