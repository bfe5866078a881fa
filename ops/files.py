"""Which files of this machine become which documents."""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from haylift.domain.documents import DOCUMENTS_PREFIX, DocumentKey
from haylift.domain.errors import InvalidInput

from ops.faults import UsageFault

IGNORE_FILE = ".hayliftignore"
"""Beside the files of a folder: names and patterns, one a line, that an upload of it leaves out."""

MEDIA_TYPES = mimetypes.MimeTypes()
"""Python's own table, without the machine's: the same file gets the same type everywhere."""


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A file and the document that it becomes."""

    path: Path
    key: DocumentKey

    @property
    def content_type(self) -> str:
        """The media type by the name's ending; ingestion decides by the content."""
        return MEDIA_TYPES.guess_type(self.path.name)[0] or "application/octet-stream"


def collect(paths: Sequence[Path], *, tenant: str, prefix: str = "") -> list[LocalFile]:
    """The files below `paths`, in order of their keys.

    A file keeps its name, a folder's files keep their path within it; `prefix` goes before both. In
    folders hidden files and those that `.hayliftignore` names are left out, links to folders too.

    Raises:
        UsageFault: `path_missing`, `no_files`, `invalid_key`, or `same_key` for two files of one key.
    """
    by_key: dict[DocumentKey, Path] = {}
    for path in paths:
        for file, relative in _files(path):
            key = _key(tenant, prefix, relative)
            if by_key.setdefault(key, file) != file:
                detail = f"{by_key[key]} and {file} would both become {key.object_key}; upload them apart."
                raise UsageFault("same_key", detail)
    if not by_key:
        raise UsageFault("no_files", f"No files in {', '.join(map(str, paths))} (hidden ones are skipped).")
    files = [LocalFile(path=file, key=key) for key, file in by_key.items()]
    return sorted(files, key=lambda file: file.key.path)


def _files(path: Path) -> Iterator[tuple[Path, PurePath]]:
    if path.is_file():
        yield path, PurePath(path.name)
        return
    if not path.is_dir():
        raise UsageFault("path_missing", f"{path} is neither a file nor a folder.")
    patterns = _patterns(path / IGNORE_FILE)
    for file in path.rglob("*"):
        relative = file.relative_to(path)
        is_hidden = any(part.startswith(".") for part in relative.parts)
        if file.is_file() and not is_hidden and not is_ignored(relative, patterns):
            yield file, relative


def _patterns(file: Path) -> tuple[str, ...]:
    if not file.is_file():
        return ()
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def is_ignored(relative: PurePath, patterns: Iterable[str]) -> bool:
    """Says whether a pattern names the path or one of its parts.

    >>> is_ignored(PurePath("sources/a.txt"), ["sources"]), is_ignored(PurePath("a.txt"), ["*.md"])
    (True, False)
    """
    names = (*relative.parts, relative.as_posix())
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _key(tenant: str, prefix: str, relative: PurePath) -> DocumentKey:
    path = "/".join(part for part in (prefix.strip("/"), relative.as_posix()) if part)
    try:
        return DocumentKey.parse(f"{DOCUMENTS_PREFIX}{tenant}/{path}")
    except InvalidInput as fault:
        raise UsageFault(fault.code, f"{path} of tenant {tenant}: {fault.detail}") from fault
    except UnicodeEncodeError as fault:
        raise UsageFault("invalid_key", f"{path!a} is not UTF-8; rename the file.") from fault
