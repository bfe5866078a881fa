"""One deployed local system for all end-to-end tests, with ports and state of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import ROOT, System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system under test; HAYLIFT_E2E_OUTPUTS=FILE uses a running one instead."""
    running = os.environ.get("HAYLIFT_E2E_OUTPUTS")
    if running:
        with System.connect(Path(running).resolve()) as system:
            yield system
        return
    state_dir = tmp_path_factory.mktemp("system")
    local = [sys.executable, "-m", "local"]
    where = ["--state-dir", str(state_dir)]
    try:
        up = [
            *local,
            "up",
            *where,
            "--ports",
            "free",
            "--skip-demo",
            "--rate-limits",
            "off",
            "--minute-s",
            "10",
        ]
        subprocess.run(up, cwd=ROOT, check=True, timeout=600)
        with System.connect(state_dir / "outputs.json") as system:
            yield system
    finally:
        subprocess.run([*local, "down", *where], cwd=ROOT, check=True, timeout=120)
