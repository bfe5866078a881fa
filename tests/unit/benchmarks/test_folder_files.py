"""Folders of strangers: every entry is named, what cannot be sent says why, metadata goes first."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.folder_files import MAX_SENT_BYTES, FoundFile, Walk, found_files, planned


def _faults(place: Path) -> dict[str, str]:
    return {one.name: one.fault for one in found_files(place)}


def test_nested_hidden_and_odd_names_are_found(tmp_path: Path) -> None:
    names = ["a b.txt", ".hidden", "ä/日本.md", "deep/er/x.md", "new\nline.txt", "empty.txt", "bulk/1.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "nothing").mkdir()

    assert _faults(tmp_path) == dict.fromkeys(sorted(names), "")


def test_links_pipes_and_sockets_are_named_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file.md").write_text("text")
    (tmp_path / "folder" / "circle").symlink_to(tmp_path)
    (tmp_path / "link.md").symlink_to(tmp_path / "folder" / "file.md")
    (tmp_path / "broken.md").symlink_to(tmp_path / "gone")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))

        assert _faults(tmp_path) == {
            "broken.md": "broken_link",
            "folder/circle": "link_to_folder",
            "folder/file.md": "",
            "link.md": "",
            "pipe": "not_a_file",
            "self": "broken_link",
            "socket": "not_a_file",
        }


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    def walk(place: Path, note: Callable[[OSError], None]) -> Walk:
        note(PermissionError(13, "Permission denied", str(place / "secret")))
        yield str(place), ["secret"], []

    assert found_files(tmp_path, walk) == [
        FoundFile(name="secret", path=tmp_path / "secret", fault="unreadable_folder")
    ]


def test_a_name_without_utf8_is_shown_and_gets_a_key(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff.txt")).write_text("text")

    (plan,) = planned(found_files(tmp_path), tenant="acme", prefix="run")

    assert plan.found.name == "a\\xff.txt"
    assert plan.key is not None
    assert plan.key.object_key == "documents/acme/run/a\\xff.txt"
    assert plan.found.path.read_text() == "text"


def test_what_is_far_too_large_is_not_sent(tmp_path: Path) -> None:
    with (tmp_path / "sparse.pdf").open("wb") as file:
        file.truncate(MAX_SENT_BYTES + 1)

    assert _faults(tmp_path) == {"sparse.pdf": "too_large"}


@pytest.mark.parametrize("name", ["one.md", "two words.md"])
def test_a_file_is_a_folder_of_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("text")

    assert _faults(tmp_path / name) == {name: ""}


def test_metadata_files_go_first_and_know_their_documents(tmp_path: Path) -> None:
    for name in ("a.md", "a.md.metadata.json", "lonely.metadata.json", ".metadata.json"):
        (tmp_path / name).write_text("{}")

    plans = planned(found_files(tmp_path), tenant="acme", prefix="run")

    about = [(plan.found.name, plan.is_metadata, plan.document and plan.document.path) for plan in plans]
    assert about == [
        (".metadata.json", True, None),
        ("a.md.metadata.json", True, "run/a.md"),
        ("lonely.metadata.json", True, None),
        ("a.md", False, None),
    ]


def test_a_key_that_is_too_long_and_a_name_that_is_taken_are_faults(tmp_path: Path) -> None:
    found = [
        FoundFile(name=r"a\xff", path=tmp_path / "a"),
        FoundFile(name=r"a\xff", path=tmp_path / "b"),
        FoundFile(name="x" * 1_020, path=tmp_path / "c"),
        FoundFile(name="pipe", path=tmp_path / "d", fault="not_a_file"),
    ]

    plans = planned(found, tenant="acme", prefix="run")

    assert [plan.found.fault for plan in plans] == ["", "same_name", "invalid_key", "not_a_file"]
    assert [plan.key is None for plan in plans] == [False, True, True, True]
