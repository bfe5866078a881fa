"""A system for `benchmarks.folder_run` in memory: a clock by hand, files that end when the plan says so."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from haylift.domain.documents import DocumentRecord, DocumentState
from haylift.domain.errors import StoreUnavailable
from haylift.domain.history import changed_line, claimed_line

from benchmarks.folder_files import FoundFile, PlannedFile, planned
from benchmarks.folder_rows import StoredText
from benchmarks.folder_run import FolderRun, Surroundings


class AtOnce(Executor):
    """Does what it is given before it says that it took it."""

    def __init__(self, workers: int) -> None:
        assert workers > 0

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """A future that is done."""
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as fault:
            done.set_exception(fault)
        return done


def plans_of(*names: str) -> list[PlannedFile]:
    """Files that need not exist."""
    found = [FoundFile(name=name, path=Path(name)) for name in names]
    return planned(found, tenant="acme", prefix="run")


@dataclass
class FolderWorld:
    """Bucket, ledger, texts and clock in one.

    Args:
        reasons: of files that will be rejected, by name; `never` for one that does not end.
        faults: raised when the file is sent, by name.
        silent_looks: so many looks at the ledger find no answer.
        ends_after_s: from the upload to the end of each file, by the ledger's clock.
        interrupted_at_s: when somebody presses Ctrl-C.
    """

    reasons: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    silent_looks: int = 0
    ends_after_s: float = 2.0
    interrupted_at_s: float = 1e9
    time_s: float = 1_000.0
    sent: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    rows: dict[str, DocumentRecord] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)

    def run(self, *names: str, timeout_s: float = 60.0) -> FolderRun:
        """A run over files with these names."""
        around = Surroundings(
            bucket=self,
            ledger=self,
            texts=self,
            now=self.now,
            sleep=self.sleep,
            say=self.said.append,
            workers=AtOnce,
        )
        return FolderRun(around=around, plans=plans_of(*names), parallel=2, timeout_s=timeout_s)

    def put(self, plan: PlannedFile) -> str:
        """Takes the file; the ledger knows documents at once."""
        self.sent.append(plan.found.name)
        if plan.found.name in self.faults:
            raise self.faults[plan.found.name]
        if plan.key is not None and not plan.is_metadata:
            self.rows[plan.found.name] = DocumentRecord(
                tenant=plan.key.tenant,
                document_id=plan.key.document_id,
                key=plan.key.object_key,
                sequencer="01",
                revision=1,
                state=DocumentState.RECEIVED,
                version_id=f"v-{plan.found.name}",
                received_at=self.time_s,
                updated_at=self.time_s,
                history=(claimed_line(self.time_s),),
            )
        return f"v-{plan.found.name}"

    def changed(self, since: float) -> Iterator[DocumentRecord]:
        """What the documents have become by now, those alone that changed since then."""
        self.looks.append(since)
        if self.silent_looks:
            self.silent_looks -= 1
            raise StoreUnavailable("The ledger did not answer.")
        self.rows = {name: self._moved(name, row) for name, row in self.rows.items()}
        yield from [row for row in self.rows.values() if row.updated_at >= since]

    def _moved(self, name: str, row: DocumentRecord) -> DocumentRecord:
        ends_at = row.received_at + self.ends_after_s
        reason = self.reasons.get(name, "")
        if row.state.is_final or reason == "never" or self.time_s < ends_at:
            return row
        state = DocumentState.REJECTED if reason else DocumentState.SEARCHABLE
        line = changed_line(state, revision=1, at=ends_at, reason=reason)
        return replace(
            row,
            state=state,
            reason=reason,
            chunk_count=0 if reason else 3,
            partial_detail="" if reason else "1 pages",
            updated_at=ends_at,
            history=(*row.history, line),
        )

    def stored(self, record: DocumentRecord) -> StoredText | None:
        """Every text has as many characters as its key."""
        return StoredText(characters=len(record.key), has_ocr=False)

    def now(self) -> float:
        """Epoch seconds."""
        return self.time_s

    def sleep(self, seconds: float) -> None:
        """Moves the clock; the moment of Ctrl-C may come."""
        self.time_s += seconds
        if self.time_s >= self.interrupted_at_s:
            raise KeyboardInterrupt
