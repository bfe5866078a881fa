"""The tool with which any folder is tried, on the running system."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.system import ROOT, System, word
from tests.hostile.corpus import corpus

pytestmark = pytest.mark.e2e


def test_a_folder_goes_through_the_system_and_each_file_is_told(system: System, tmp_path: Path) -> None:
    marker = word()
    (tmp_path / "deep er").mkdir()
    (tmp_path / "deep er" / "日本.md").write_text(f"# Dogs\n\nThe code word is {marker}.\n", encoding="utf-8")
    (tmp_path / "same.md").write_text(f"# Dogs\n\nThe code word is {marker}.\n", encoding="utf-8")
    (tmp_path / "same.md.metadata.json").write_text(json.dumps({"title": "Two dogs"}))
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "broken.md").symlink_to(tmp_path / "gone")
    (tmp_path / "cut.pdf").write_bytes(next(one.make() for one in corpus() if one.name == "truncated.pdf"))

    command = [sys.executable, "-m", "benchmarks.ingest_folder", str(tmp_path), "--json", "--find"]
    where = ["--state-dir", str(system.state_dir), "--timeout-s", "60"]
    done = subprocess.run(
        [*command, *where], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr
    entries = {entry["file"]: entry for entry in json.loads(done.stdout)}
    assert {name: (entry["state"], entry["reason"]) for name, entry in entries.items()} == {
        "broken.md": ("NOT_UPLOADED", "broken_link"),
        "cut.pdf": ("REJECTED", "damaged"),
        "deep er/日本.md": ("SEARCHABLE", ""),
        "empty.txt": ("REJECTED", "empty"),
        "same.md": ("SEARCHABLE", ""),
        "same.md.metadata.json": ("METADATA", ""),
    }
    for name in ("same.md", "deep er/日本.md"):
        # Headings are kept beside the text.
        assert (entries[name]["chunks"], entries[name]["characters"]) == (1, 29)
        assert entries[name]["found"] is True
        assert 0 < entries[name]["seconds"] < 60
    found = {result["key"]: result["title"] for result in system.search(marker)["results"]}
    assert found[entries["same.md"]["key"]] == "Two dogs"
