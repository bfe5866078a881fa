"""The import contracts of pyproject.toml, checked on any tree that looks like this one."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("functions", "stacks", "local", "ops", "layers/core/python/haylift")


def broken_contracts(tree: Path) -> set[str]:
    """Names of the contracts that a tree breaks; AssertionError when they could not be checked."""
    search_path = os.pathsep.join([str(tree), str(tree / "layers" / "core" / "python")])
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": search_path, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(.+?) (KEPT|BROKEN)", done.stdout, re.MULTILINE)
    assert verdicts, done.stdout + done.stderr
    broken = {name.strip() for name, verdict in verdicts if verdict == "BROKEN"}
    assert bool(broken) == (done.returncode != 0), done.stdout + done.stderr
    return broken
