"""Which files a folder of strangers holds, and what keeps some of them from being sent."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from haylift.domain.documents import DocumentKey
from haylift.domain.errors import InvalidInput
from haylift.domain.metadata import document_of_sidecar, is_sidecar

from ops.files import LocalFile

MAX_SENT_BYTES = 2 * 52_428_800
"""Ingestion refuses files of more than half of it; larger ones are not even sent, since the emulator keeps
objects in memory."""

type Walk = Iterator[tuple[str, list[str], list[str]]]


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """An entry of the folder.

    Args:
        name: its path relative to the folder; bytes that are no UTF-8 are shown as `\\xff`.
        path: where it lies.
        fault: why it cannot be sent; empty: it can, as far as its name and kind go.
    """

    name: str
    path: Path
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file on its way: `key` is its place in the bucket, None for one that is not sent.

    `document` is the document that a metadata file is about, when the folder holds it; None for documents.
    """

    found: FoundFile
    key: DocumentKey | None = None
    document: DocumentKey | None = None

    @property
    def is_metadata(self) -> bool:
        """True for `<file>.metadata.json`, which becomes no document."""
        return self.key is not None and is_sidecar(self.key)

    @property
    def content_type(self) -> str:
        """The media type by the name's ending; ingestion decides by the content."""
        assert self.key is not None
        return LocalFile(path=self.found.path, key=self.key).content_type


def found_files(
    place: Path, walk: Callable[[Path, Callable[[OSError], None]], Walk] | None = None
) -> list[FoundFile]:
    """Every entry below `place` that is no folder, in order of its name; hidden files too.

    Links to files count as files. Links to folders are named and not followed, since they may lead in
    circles; folders that cannot be opened are named as well. A `place` that is a file is its only entry.

    Args:
        walk: as `os.walk`, given the folder and what to call with a folder that cannot be read.
    """
    if not place.is_dir():
        return [_found(place, place.name)]
    found: list[FoundFile] = []

    def note(fault: OSError) -> None:
        folder = Path(os.fsdecode(fault.filename or place))
        found.append(FoundFile(name=_name(folder, place), path=folder, fault="unreadable_folder"))

    for folder, folders, files in (walk or _walk)(place, note):
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                found.append(FoundFile(name=_name(path, place), path=path, fault="link_to_folder"))
        found += [_found(Path(folder, name), _name(Path(folder, name), place)) for name in files]
    return sorted(found, key=lambda one: one.name)


def _walk(place: Path, note: Callable[[OSError], None]) -> Walk:
    return os.walk(place, onerror=note, followlinks=False)


def _found(path: Path, name: str) -> FoundFile:
    return FoundFile(name=_shown(name), path=path, fault=_fault(path))


def _fault(path: Path) -> str:
    """Never opens the entry: opening a pipe waits for somebody to write into it."""
    try:
        kind = path.stat()
    except OSError:
        return "broken_link" if path.is_symlink() else "unreadable"
    if not stat.S_ISREG(kind.st_mode):
        return "not_a_file"
    return "too_large" if kind.st_size > MAX_SENT_BYTES else ""


def _name(path: Path, place: Path) -> str:
    return _shown(path.relative_to(place).as_posix()) if path != place else "."


def _shown(name: str) -> str:
    r"""The name as UTF-8 can say it.

    >>> _shown("a\udcff.txt")
    'a\\xff.txt'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def planned(found: list[FoundFile], *, tenant: str, prefix: str) -> list[PlannedFile]:
    """Each entry with its key, metadata files first: a document is then claimed once, with what they say.

    The key is `documents/<tenant>/<prefix>/<name>`; the second of two names that became the same, and a key
    that S3 does not allow, are faults of their own.
    """
    plans: list[PlannedFile] = []
    taken: set[str] = set()
    for one in found:
        key, fault = _key(one, tenant, prefix)
        if key is not None and key.path in taken:
            key, fault = None, "same_name"
        if key is None:
            plans.append(PlannedFile(found=FoundFile(name=one.name, path=one.path, fault=fault)))
            continue
        taken.add(key.path)
        plans.append(PlannedFile(found=one, key=key))
    plans = [_with_document(plan, taken) for plan in plans]
    return sorted(plans, key=lambda plan: not plan.is_metadata)


def _key(one: FoundFile, tenant: str, prefix: str) -> tuple[DocumentKey | None, str]:
    if one.fault:
        return None, one.fault
    try:
        return DocumentKey.parse(f"documents/{tenant}/{prefix}/{one.name}"), ""
    except InvalidInput as fault:
        return None, fault.code


def _with_document(plan: PlannedFile, taken: set[str]) -> PlannedFile:
    document = document_of_sidecar(plan.key) if plan.key and is_sidecar(plan.key) else None
    if document is None or document.path not in taken:
        return plan
    return PlannedFile(found=plan.found, key=plan.key, document=document)
