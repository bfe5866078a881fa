"""How long a file may be and what it may not be called, checked on any list of files."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

MOST_LINES = 300
# Names that say nothing of what is inside: such files take in whatever has no place yet.
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common"}


def tracked_files(tree: Path) -> list[Path]:
    """Files that git tracks in a tree and that lie there, relative to it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (tree / name).is_file()]


def badly_sized_or_named(tree: Path, files: Iterable[Path]) -> set[str]:
    """What is wrong with files of a tree, as `path: fault`; the paths are relative to the tree."""
    faults = set()
    for file in files:
        if EMPTY_NAMES & set(re.split(r"[/._-]", file.as_posix().lower())):
            faults.add(f"{file.as_posix()}: empty name")
        if file.suffix == ".py":
            lines = len((tree / file).read_text().splitlines())
            if lines > MOST_LINES:
                faults.add(f"{file.as_posix()}: {lines} lines")
    return faults
