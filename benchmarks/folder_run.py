"""Sends the files of a folder and follows them until each has ended."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from haylift.domain.documents import DocumentRecord
from haylift.domain.errors import StoreUnavailable

from benchmarks.folder_files import PlannedFile
from benchmarks.folder_rows import UPLOAD_FAILED, FileRow, StoredText, is_searchable, summary

LOOK_EVERY_S = 0.5
LOOK_SHARE = 5.0
"""Between two looks passes five times what a look took: following thousands of files must not slow them."""

MARGIN_S = 10.0
"""How far each look goes back behind the newest row it has seen: rows are stamped before they are written."""

SAY_EVERY_S = 5.0
TEXT_READERS = 2


class Bucket(Protocol):
    """Where files are sent to."""

    def put(self, plan: PlannedFile) -> str:
        """Sends the file; gives the version id. Raises OSError when it cannot be read."""


class Ledger(Protocol):
    """What is known of the documents that were sent."""

    def changed(self, since: float) -> Iterable[DocumentRecord]:
        """The run's rows that changed at `since` (epoch seconds) or later. Raises `StoreUnavailable`."""


class Texts(Protocol):
    """What is kept of documents."""

    def stored(self, record: DocumentRecord) -> StoredText | None:
        """The searchable document's text; None when it is not there. Raises `StoreUnavailable`."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a run works with.

    Args:
        now, sleep: the clock, epoch seconds.
        say: shows a line of progress.
        workers: gives so many threads.
    """

    bucket: Bucket
    ledger: Ledger
    texts: Texts
    now: Callable[[], float]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    workers: Callable[[int], Executor] = ThreadPoolExecutor


@dataclass(kw_only=True)
class FolderRun:
    """One folder's way through the system; `rows` are right at any time, also after an interruption.

    Args:
        parallel: files that are sent at a time.
        timeout_s: ends the run when nothing has changed for so long.
    """

    around: Surroundings
    plans: Sequence[PlannedFile]
    parallel: int
    timeout_s: float
    rows: list[FileRow] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [FileRow(plan=plan) for plan in self.plans]
        self._by_id = {row.plan.key.document_id: row for row in self.rows if row.plan.key}
        self._open = {id(row): row for row in self.rows if not row.has_ended}
        self._began_at = self._moved_at = self._said_at = self._seen_at = self.around.now()

    def run(self) -> None:
        """Ends when every file has, or when nothing has changed for `timeout_s`."""
        sending, reading = self.around.workers(self.parallel), self.around.workers(TEXT_READERS)
        try:
            for is_metadata in (True, False):
                rows = [row for row in self._open.values() if row.plan.is_metadata is is_metadata]
                sent = [sending.submit(self._send, row) for row in rows]
                self._follow(sent, reading, is_last=not is_metadata)
        finally:
            sending.shutdown(wait=False, cancel_futures=True)
            reading.shutdown(wait=False, cancel_futures=True)

    def _follow(self, sent: Sequence[Future[None]], reading: Executor, *, is_last: bool) -> None:
        read: list[Future[None]] = []
        while True:
            began = self.around.now()
            if is_last:
                self._look()
            took_s = self.around.now() - began
            read += [reading.submit(self._read, row) for row in self._ended() if is_searchable(row)]
            self._say()
            if all(one.done() for one in sent) and not (is_last and self._open):
                break
            if self.around.now() - self._moved_at >= self.timeout_s:
                self.around.say(f"Gave up: nothing has changed for {self.timeout_s:g} s.")
                break
            self.around.sleep(max(LOOK_EVERY_S, LOOK_SHARE * took_s))
        wait(read)
        for one in (*sent, *read):
            if one.done() and not one.cancelled():
                one.result()

    def _send(self, row: FileRow) -> None:
        row.sent_at = self.around.now()
        try:
            row.version_id = self.around.bucket.put(row.plan)
        except OSError:
            row.fault = "unreadable"
        except (BotoCoreError, ClientError) as fault:
            row.fault = UPLOAD_FAILED
            self.around.say(f"{row.plan.found.name} could not be uploaded: {fault}")
        self._moved_at = self.around.now()

    def _look(self) -> None:
        """Takes over what changed."""
        try:
            for record in self.around.ledger.changed(self._seen_at - MARGIN_S):
                self._seen_at = max(self._seen_at, record.updated_at)
                row = self._by_id.get(record.document_id)
                if row is not None and record != row.seen:
                    row.seen = record
                    self._moved_at = self.around.now()
        except StoreUnavailable as fault:
            self.around.say(f"The ledger does not answer: {fault.detail}")

    def _ended(self) -> list[FileRow]:
        """Rows that have ended since the last call."""
        ended = [row for row in self._open.values() if row.has_ended]
        for row in ended:
            del self._open[id(row)]
        return ended

    def _read(self, row: FileRow) -> None:
        assert row.record is not None
        try:
            row.text = self.around.texts.stored(row.record)
        except StoreUnavailable as fault:
            self.around.say(f"The text of {row.plan.found.name} cannot be read: {fault.detail}")

    def _say(self) -> None:
        now = self.around.now()
        if now - self._said_at >= SAY_EVERY_S:
            self._said_at = now
            self.around.say(f"{now - self._began_at:.0f} s: {summary(self.rows)}")
