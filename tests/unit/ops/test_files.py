"""Which files become which documents."""

from pathlib import Path

import pytest
from haylift.domain.documents import DocumentKey
from hypothesis import given
from hypothesis import strategies as st

from ops.faults import UsageFault
from ops.files import collect


def _write(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")


def _keys(folder: Path, **options: str) -> list[str]:
    return [file.key.object_key for file in collect([folder], tenant="acme", **options)]


def test_a_folder_s_files_keep_their_path_within_it(tmp_path: Path) -> None:
    _write(tmp_path, "start.md", "deep/er/end.pdf")

    assert _keys(tmp_path) == ["documents/acme/deep/er/end.pdf", "documents/acme/start.md"]
    assert _keys(tmp_path, prefix="/hand/book/") == [
        "documents/acme/hand/book/deep/er/end.pdf",
        "documents/acme/hand/book/start.md",
    ]


def test_a_file_keeps_its_name_and_its_media_type_is_guessed(tmp_path: Path) -> None:
    _write(tmp_path, "deep/notes.md", "deep/data.unknown")

    named, unknown = collect(
        [tmp_path / "deep/notes.md", tmp_path / "deep/data.unknown"], tenant="acme", prefix="p"
    )[::-1]

    assert (named.key, named.content_type) == (DocumentKey("acme", "p/notes.md"), "text/markdown")
    assert unknown.content_type == "application/octet-stream"


def test_hidden_files_and_ignored_ones_are_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "start.md", ".hidden", ".git/config", "deep/.DS_Store", "make.py", "sources/a.txt")
    (tmp_path / ".hayliftignore").write_text("# not documents\nmake.*\n\nsources\n")

    assert _keys(tmp_path) == ["documents/acme/start.md"]


def test_a_hidden_file_that_is_named_is_uploaded(tmp_path: Path) -> None:
    _write(tmp_path, ".profile")

    assert _keys(tmp_path / ".profile") == ["documents/acme/.profile"]


def test_two_files_of_one_key_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "a/x.md", "b/x.md")

    with pytest.raises(UsageFault, match=r"would both become documents/acme/x\.md") as caught:
        collect([tmp_path / "a", tmp_path / "b"], tenant="acme")

    assert caught.value.code == "same_key"


def test_the_same_file_named_twice_is_uploaded_once(tmp_path: Path) -> None:
    _write(tmp_path, "x.md")

    assert len(collect([tmp_path / "x.md", tmp_path], tenant="acme")) == 1


@pytest.mark.parametrize(
    ("tenant", "path", "code"),
    [("acme", "missing", "path_missing"), ("acme", "", "no_files"), ("Acme!", "x.md", "invalid_key")],
)
def test_what_cannot_be_uploaded_is_named(tmp_path: Path, tenant: str, path: str, code: str) -> None:
    if path == "x.md":
        _write(tmp_path, "x.md")

    with pytest.raises(UsageFault) as caught:
        collect([tmp_path / path], tenant=tenant)

    assert caught.value.code == code


@given(prefix=st.text(alphabet="ab/", max_size=6))
def test_every_prefix_gives_a_key_below_the_tenant(
    tmp_path_factory: pytest.TempPathFactory, prefix: str
) -> None:
    folder = tmp_path_factory.mktemp("files")
    _write(folder, "x.md")

    (file,) = collect([folder], tenant="acme", prefix=prefix)

    assert file.key.object_key.startswith("documents/acme/")
    assert file.key.path.endswith("x.md")
    assert not file.key.path.startswith("/")
