"""One SQLite file: its schema, connections and errors."""

import os
import re
import sqlite3
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from haylift.domain.errors import IndexUnavailable, InvalidInput
from haylift.domain.identity import is_tenant_name

SCHEMA = """
CREATE TABLE chunks(
    row_id INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX chunks_by_document ON chunks(document_id, revision);
CREATE TABLE vectors(
    row_id INTEGER PRIMARY KEY,
    chunk_id TEXT NOT NULL,
    term_count INTEGER NOT NULL,
    vector BLOB NOT NULL
);
CREATE TABLE fields(
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    value NOT NULL,
    row_id INTEGER NOT NULL,
    PRIMARY KEY(name, kind, value, row_id)
) WITHOUT ROWID;
CREATE INDEX fields_by_row ON fields(row_id);
CREATE TABLE chunk_groups(
    name BLOB NOT NULL,
    row_id INTEGER NOT NULL,
    PRIMARY KEY(name, row_id)
) WITHOUT ROWID;
CREATE INDEX chunk_groups_by_row ON chunk_groups(row_id);
CREATE VIRTUAL TABLE terms USING fts5(words, tokenize = 'ascii', columnsize = 0);
CREATE VIRTUAL TABLE postings USING fts5vocab(terms, instance);
CREATE TABLE state(sequence INTEGER NOT NULL, dimensions INTEGER NOT NULL);
INSERT INTO state VALUES(0, 0);
"""
"""`row_id` is never used again (AUTOINCREMENT), so a reader can tell what came and what went.
`state.sequence` grows with every writing transaction, `dimensions` is that of all vectors (0: none)."""

REBUILDING = 1
"""`user_version` of a file that is made anew from the bucket: it takes writes and answers nobody yet."""

GENERATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
BUSY_TIMEOUT_S = 5.0
_PAGE_CACHE_KIB = 16_384

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}


def store_path(directory: Path, tenant: str, generation: str) -> Path:
    """`<directory>/<tenant>/<generation>.sqlite3`.

    Raises:
        InvalidInput: `invalid_name` for names that could leave the folder.
    """
    if not is_tenant_name(tenant) or not GENERATION.fullmatch(generation):
        raise InvalidInput("Not the name of a tenant or of an index generation.", code="invalid_name")
    return directory / tenant / f"{generation}.sqlite3"


@contextmanager
def translated() -> Iterator[None]:
    """SQLite's and the file system's errors as `IndexUnavailable`, with a time after which to retry."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the primary code; errors of the sqlite3 module itself have none.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _BUSY:
            raise IndexUnavailable("The index is busy with other writers.", retry_after_s=1.0) from error
        if code in _DAMAGED:
            raise IndexUnavailable(
                "The index file is damaged and must be rebuilt from the documents.", retry_after_s=60.0
            ) from error
        raise IndexUnavailable("The index cannot be read or written.") from error
    except OSError as error:
        raise IndexUnavailable("The index's folder cannot be used.") from error


def require_ready(connection: sqlite3.Connection) -> None:
    """Refuses to answer from a file that does not hold everything yet.

    Raises:
        IndexUnavailable: a retry helps when the rebuild has ended.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] == REBUILDING:
        raise IndexUnavailable("The index is being rebuilt from the documents.", retry_after_s=60.0)


def create_store(path: Path, *, version: int = 0) -> None:
    """Makes the file with its schema unless it exists; several processes may do so at once.

    The file is made whole under another name and then linked to its own, so that nobody ever opens a
    file without schema or in another journal mode.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".new", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        with closing(sqlite3.connect(draft, autocommit=True)) as connection:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {version}; COMMIT;")
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        for leftover in (draft, Path(f"{name}-wal"), Path(f"{name}-shm")):
            leftover.unlink(missing_ok=True)


class SqliteStore:
    """The connections of this process to one existing file. Thread-safe.

    With `synchronous = NORMAL` in WAL mode a commit survives the death of the process (the kernel has
    the pages); the last commits before a power cut may be lost, never the file's consistency.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.Lock()
        self._is_closed = False
        self.file_id = path.stat().st_ino
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection within one snapshot of the file."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The one writing transaction of all processes; waits for its turn, keeps all or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute("UPDATE state SET sequence = sequence + 1")
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._borrowed()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.close()  # rolls back; whatever went wrong, nobody gets this connection again
            raise
        self._give_back(connection)

    def _borrowed(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._idle.pop()
        # mode=rw: a file that vanished meanwhile is an error and not made anew, empty and in silence.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_timeout_s,
            autocommit=True,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{_PAGE_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Closes the idle connections; those in use close when they are given back."""
        with self._lock:
            self._is_closed = True
        _close_all(self._idle)


def _close_all(connections: deque[sqlite3.Connection]) -> None:
    with suppress(IndexError):
        while True:
            connections.pop().close()
