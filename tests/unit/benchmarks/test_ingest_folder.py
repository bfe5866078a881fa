"""The command itself: what it prints, and how it ends without a system."""

import json
from pathlib import Path

import pytest

from benchmarks.folder_rows import FileRow
from benchmarks.ingest_folder import main, show
from tests.fakes.folder import FolderWorld, plans_of
from tests.fakes.ops import write_outputs


def test_the_list_is_one_json_document_in_order_of_names(capsys: pytest.CaptureFixture[str]) -> None:
    run = FolderWorld().run("ü.md", "b.md", "a.md.metadata.json", "a.md")
    run.run()

    show(run.rows, 1_002.0, is_json=True)

    out, err = capsys.readouterr()
    assert [entry["file"] for entry in json.loads(out)] == ["a.md", "a.md.metadata.json", "b.md", "ü.md"]
    assert out.isascii()
    assert err == "3 SEARCHABLE, 1 METADATA\n"


def test_a_name_moves_no_cursor_and_makes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    row = FileRow(plan=plans_of("a\x1b[2J\nSEARCHABLE b.md")[0])

    show([row], 1_000.0, is_json=False)

    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("0 characters  a[2J SEARCHABLE b.md")


def test_without_a_system_the_next_command_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--json", "--state-dir", str(tmp_path / "none")]) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert "not_deployed: No local system is up" in err
    assert "run `make up` first" in err


def test_a_system_that_is_down_is_told_from_one_that_was_never_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_outputs(tmp_path, api_url="http://127.0.0.1:9/api")

    assert main([str(tmp_path), "--state-dir", str(tmp_path)]) == 1

    err = capsys.readouterr().err
    assert err.startswith(f"not_running: The system of {tmp_path} does not answer")
    assert err.endswith(f"Start it with `python -m local up --state-dir {tmp_path}`.\n")


def test_a_folder_that_is_not_there_is_a_wrong_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "gone")]) == 2

    assert "is neither a folder nor a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--timeout-s", "0"], ["--timeout-s", "nan"], ["--parallel", "99"], ["--parallel", "x"], []]
)
def test_wrong_options_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as fault:
        main(wrong and ["folder", *wrong])

    assert fault.value.code == 2
    assert "usage: python -m benchmarks.ingest_folder" in capsys.readouterr().err
