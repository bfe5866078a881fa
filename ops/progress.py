"""Shows an upload's progress: bars for a person, one line per file for a log, nothing with `--json`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.follow import Outcome
from ops.terminal import Terminal


class UploadDisplay(Protocol):
    """What an upload tells while it runs."""

    def uploaded(self) -> None:
        """One more file is in the bucket."""

    def changed(self, outcome: Outcome) -> None:
        """A file has another state."""


class Lines:
    """One line per file that reached its final state; remarks are silent with `--json`."""

    def __init__(self, terminal: Terminal, total: int) -> None:
        self._terminal = terminal
        self._total = total
        self._uploaded = 0

    def uploaded(self) -> None:
        self._uploaded += 1
        if self._uploaded == self._total:
            self._terminal.remark(f"uploaded {self._total} of {self._total} files")

    def changed(self, outcome: Outcome) -> None:
        if outcome.is_final:
            self._terminal.remark(line(outcome))


class Bars:
    """Two bars on a terminal: files uploaded, files with a final state."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._uploads = progress.add_task("uploaded", total=total)
        self._finals = progress.add_task("searchable", total=total)
        self._rejected = 0

    def uploaded(self) -> None:
        self._progress.advance(self._uploads)

    def changed(self, outcome: Outcome) -> None:
        if not outcome.is_final:
            return
        if outcome.reason:
            self._rejected += 1
            self._progress.update(self._finals, description=f"searchable ({self._rejected} rejected)")
        self._progress.advance(self._finals)


def line(outcome: Outcome) -> str:
    """The outcome as one line."""
    name = outcome.uploaded.file.key.path
    parts = [f"{outcome.state_name:<10} {name}"]
    if outcome.reason:
        parts.append(f"({outcome.reason})")
    if outcome.is_superseded:
        parts.append("(changed again by a later upload or deletion)")
    if outcome.is_final:
        parts.append(f"{outcome.seconds:.1f} s")
    return " ".join(parts)


@contextmanager
def upload_display(terminal: Terminal, total: int) -> Iterator[UploadDisplay]:
    """The display that fits the terminal."""
    if not terminal.is_interactive:
        yield Lines(terminal, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=terminal.err)) as progress:
        yield Bars(progress, total)
