"""A folder's files are sent, followed to their ends and told about, whatever happens meanwhile."""

import pytest
from botocore.exceptions import EndpointConnectionError
from haylift.domain.documents import DocumentKey

from benchmarks.folder_rows import FileRow, is_whole, summary
from benchmarks.folder_run import FolderRun
from tests.fakes.folder import FolderWorld


def _states(run: FolderRun) -> dict[str, tuple[str, str]]:
    return {row.plan.found.name: (row.state, row.reason) for row in run.rows}


def _row(run: FolderRun, name: str) -> FileRow:
    return next(row for row in run.rows if row.plan.found.name == name)


def test_a_list_says_what_became_of_each_file() -> None:
    world = FolderWorld(reasons={"scan.pdf": "no_text"})
    run = world.run("a/start.md", "scan.pdf")

    run.run()

    key = DocumentKey("acme", "run/a/start.md")
    assert _row(run, "a/start.md").shown(world.now()) == {
        "file": "a/start.md",
        "state": "SEARCHABLE",
        "reason": "",
        "seconds": 2.0,
        "chunks": 3,
        "characters": 29,
        "partial": "1 pages",
        "ocr": False,
        "document_id": key.document_id,
        "key": "documents/acme/run/a/start.md",
    }
    assert _states(run)["scan.pdf"] == ("REJECTED", "no_text")
    assert _row(run, "scan.pdf").shown(world.now())["characters"] == 0
    assert is_whole(run.rows)
    assert summary(run.rows) == "1 REJECTED (no_text), 1 SEARCHABLE"


def test_the_seconds_are_the_ledgers_and_not_those_of_the_looks() -> None:
    world = FolderWorld(ends_after_s=0.125)
    run = world.run("a.md")

    run.run()

    assert _row(run, "a.md").seconds(world.now() + 100) == pytest.approx(0.125)


def test_metadata_files_are_sent_first_and_end_at_once() -> None:
    world = FolderWorld()
    run = world.run("a.md", "a.md.metadata.json", "lonely.metadata.json")

    run.run()

    assert world.sent[2] == "a.md"
    assert _states(run) == {
        "a.md.metadata.json": ("METADATA", ""),
        "lonely.metadata.json": ("METADATA", "no_document"),
        "a.md": ("SEARCHABLE", ""),
    }


def test_a_file_that_cannot_be_read_stops_no_other() -> None:
    world = FolderWorld(faults={"secret.md": PermissionError(13, "Permission denied")})
    run = world.run("secret.md", "a.md")

    run.run()

    assert _states(run) == {"secret.md": ("NOT_UPLOADED", "unreadable"), "a.md": ("SEARCHABLE", "")}
    assert is_whole(run.rows)


def test_a_file_that_the_bucket_does_not_take_leaves_the_list_incomplete() -> None:
    world = FolderWorld(faults={"a.md": EndpointConnectionError(endpoint_url="http://127.0.0.1:1")})
    run = world.run("a.md")

    run.run()

    assert _states(run) == {"a.md": ("NOT_UPLOADED", "upload_failed")}
    assert not is_whole(run.rows)


def test_it_gives_up_when_nothing_changes_and_keeps_what_is_known() -> None:
    world = FolderWorld(reasons={"stuck.pdf": "never"})
    run = world.run("stuck.pdf", "a.md", timeout_s=30)

    run.run()

    assert _states(run) == {"stuck.pdf": ("RECEIVED", ""), "a.md": ("SEARCHABLE", "")}
    assert not is_whole(run.rows)
    assert 30 <= world.now() - 1_000 <= 40
    assert world.said[-1] == "Gave up: nothing has changed for 30 s."


def test_a_silent_ledger_is_asked_again() -> None:
    world = FolderWorld(silent_looks=3)
    run = world.run("a.md")

    run.run()

    assert _states(run) == {"a.md": ("SEARCHABLE", "")}
    assert world.said[0] == "The ledger does not answer: The ledger did not answer."


def test_an_interruption_leaves_rows_that_are_right() -> None:
    world = FolderWorld(reasons={"stuck.pdf": "never"}, interrupted_at_s=1_010)
    run = world.run("stuck.pdf", "a.md")

    with pytest.raises(KeyboardInterrupt):
        run.run()

    assert _states(run) == {"stuck.pdf": ("RECEIVED", ""), "a.md": ("SEARCHABLE", "")}
    assert _row(run, "stuck.pdf").seconds(world.now()) == pytest.approx(10, abs=1)


def test_hundreds_of_files_cost_a_look_and_no_request_each() -> None:
    world = FolderWorld()
    run = world.run(*(f"{number}.md" for number in range(500)))

    run.run()

    assert {state for state, _ in _states(run).values()} == {"SEARCHABLE"}
    assert len(world.looks) <= 20


def test_a_row_of_another_version_is_not_taken_for_the_sent_one() -> None:
    world = FolderWorld()
    run = world.run("a.md", timeout_s=5)
    world.put = lambda _plan: "another"  # type: ignore[method-assign]

    run.run()

    assert _states(run) == {"a.md": ("UPLOADED", "")}


def test_an_empty_folder_is_done_at_once() -> None:
    world = FolderWorld()
    run = world.run()

    run.run()

    assert (run.rows, is_whole(run.rows), world.now()) == ([], True, 1_000.0)
