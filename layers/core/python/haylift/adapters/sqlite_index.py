"""The embedded document index: SQLite for words and filters, numpy for vectors."""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from haylift.adapters.sqlite_filters import SqlValue, readable
from haylift.adapters.sqlite_rows import (
    chunk_ids_of,
    chunks_of,
    delete_rows,
    digest_of,
    insert_chunks,
    legs_of,
    require_dimensions,
    vectors_of,
)
from haylift.adapters.sqlite_store import (
    BUSY_TIMEOUT_S,
    SqliteStore,
    create_store,
    require_ready,
    store_path,
    translated,
)
from haylift.adapters.sqlite_table import ChunkTable, Mask, row_ids
from haylift.domain.chunks import EmbeddedChunk, Legs, Vector
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports.search import LegQuery, TenantCount
from haylift.tracing import tally

MAX_OPEN_STORES = 32
"""Files that a process keeps open with their vectors: 15 MB for 10,000 chunks of 384 dimensions each."""

MAX_REVISION = 2**63 - 1
"""SQLite's largest integer."""

LOST = "The index of a tenant with documents is gone; bring its file back. No new one is made in its place."


class _OpenStore:
    """A file and this process's picture of its newest state."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._table = ChunkTable.empty()
        self._lock = threading.Lock()

    def table(self, connection: sqlite3.Connection) -> ChunkTable:
        """The table of the connection's snapshot. The lock lets one thread do the reading for all."""
        with self._lock:
            self._table = self._table.at(connection)
            return self._table


class SqliteIndex:
    """Implements `DocumentIndex` with one WAL file per tenant and generation on a local disk.

    Words: BM25 (k1 1.2, b 0.75) over one field, the text that the model sees: title and headings once,
    then the chunk, in the terms of Lucene's English analyser. nDCG@10 is that of Lucene within 0.001
    (SciFact .678, Cranfield .375). The title weighs as much as the text: counted twice it adds 0.008
    there, where a document is one chunk, and with many chunks it would lift all of a fitting document
    over the one that holds the answer. Vectors: exact cosine. Good to about 50,000 chunks per tenant.

    Any number of processes may read and write. Readers never wait; a writer waits its turn for
    `busy_timeout_s`. A committed write survives `kill -9`. Set `OPENBLAS_NUM_THREADS=1` in the
    environment: the product of one vector is ten times slower when OpenBLAS starts its threads.

    Args:
        directory: holds `<tenant>/<generation>.sqlite3`; made when it is missing. Not a network
            file system: WAL needs shared memory.
        busy_timeout_s: how long a writer waits for the others.
        count_of: a tenant's number of documents that readers can find, strongly consistent; None: it
            has none yet. Asked only when a writer finds no file: that of a tenant with documents was
            lost, and a new one in its place would answer as if nearly nothing had ever been uploaded.
    """

    def __init__(
        self,
        directory: Path,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        count_of: Callable[[str], TenantCount | None] = lambda _tenant: None,
    ) -> None:
        self._directory = directory
        self._busy_timeout_s = busy_timeout_s
        self._count_of = count_of
        self._open: OrderedDict[Path, _OpenStore] = OrderedDict()
        self._lock = threading.Lock()
        with translated():
            directory.mkdir(parents=True, exist_ok=True)

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        """Both legs of one snapshot. A tenant or generation that was never written has no chunks."""
        with translated():
            opened = self._opened(store_path(self._directory, scope.tenant, generation))
            if opened is None:
                return Legs()
            with opened.store.reading() as connection:
                require_ready(connection)
                table = opened.table(connection)
                allowed = _readable(connection, table, query, scope)
                keyword: list[tuple[int, float]] = []
                semantic: list[tuple[int, float]] = []
                started = time.perf_counter()
                if query.text is not None:
                    scores = table.by_words(connection, query.text)
                    keyword = table.best(scores, allowed & (scores > 0), query.depth)
                between = time.perf_counter()
                if query.vector is not None:
                    semantic = table.best(table.by_vector(query.vector), allowed, query.depth)
                _tally_legs(query, between - started, time.perf_counter() - between)
                chunks = chunks_of(connection, {row_id for row_id, _ in (*keyword, *semantic)})
        # A row that other hands than ours removed is for reconcile to find; the search goes on without it.
        return legs_of(keyword, semantic, chunks)

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Writes all chunks in one transaction; a chunk id that is there is replaced.

        Side effects: makes the file of a tenant without documents.

        Raises:
            IndexUnavailable: also when the file of a tenant with documents is gone.
            StoreUnavailable: there is no file and the tenant's documents cannot be counted.
        """
        path = store_path(self._directory, tenant, generation)
        if not chunks:
            return
        by_id = {embedded.chunk.chunk_id: embedded for embedded in chunks}
        with translated():
            opened = self._opened_to_write(path, tenant, generation)
            if opened is None:
                create_store(path)
                opened = self._opened(path)
            if opened is None:
                raise FileNotFoundError(path)  # somebody takes the files away while we make them
            with opened.store.writing() as connection:
                require_dimensions(connection, by_id.values())
                replaced = [
                    row_id
                    for chunk_id in by_id
                    for (row_id,) in connection.execute(
                        "SELECT row_id FROM chunks WHERE chunk_id = ?", (chunk_id,)
                    )
                ]
                delete_rows(connection, replaced)
                insert_chunks(connection, by_id.values())

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        """Removes the document's chunks of other revisions (0 keeps none), none above `up_to_revision`.

        Raises:
            IndexUnavailable, StoreUnavailable: as `write`; what was lost may come back with these chunks.
        """
        newest = MAX_REVISION if up_to_revision is None else up_to_revision
        path = store_path(self._directory, tenant, generation)
        with translated():
            opened = self._opened_to_write(path, tenant, generation)
            if opened is None:
                return 0
            with opened.store.writing() as connection:
                removed = [
                    row_id
                    for (row_id,) in connection.execute(
                        "SELECT row_id FROM chunks WHERE document_id = ? AND revision <> ? AND revision <= ?",
                        (document_id, keep_revision, newest),
                    )
                ]
                delete_rows(connection, removed)
        return len(removed)

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        """The ids of all committed chunks of the revision."""
        return self._read(tenant, generation, lambda c: chunk_ids_of(c, document_id, revision), frozenset())

    def stored_vectors(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> Mapping[bytes, Vector]:
        """The vectors of all committed chunks of the revision."""
        return self._read(tenant, generation, lambda c: vectors_of(c, document_id, revision), {})

    def stored_digest(self, tenant: str, generation: str, document_id: str, *, revision: int) -> str:
        """The digest of all committed chunks of the revision."""
        return self._read(tenant, generation, lambda c: digest_of(c, document_id, revision), "")

    def _read[T](
        self, tenant: str, generation: str, question: Callable[[sqlite3.Connection], T], absent: T
    ) -> T:
        """The answer of one snapshot; `absent` without a file."""
        with translated():
            opened = self._opened(store_path(self._directory, tenant, generation))
            if opened is None:
                return absent
            with opened.store.reading() as connection:
                return question(connection)

    def refresh(self, tenant: str, generation: str) -> None:
        """Does nothing: a committed write is seen by every later transaction of every process."""

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        """Reads one row of every index that must be there; without any, looks at the folder as a whole.

        A file of a tenant with documents that is gone, damaged or locked is `IndexUnavailable`. The folder
        is well when it is there and its first or its last index can be read: one may be damaged.
        """
        with translated():
            needed = [store_path(self._directory, count.tenant, count.generation) for count in filled]
            for path in needed:
                self._read_state(path)
            if needed:
                return
            folders = sorted(path for path in self._directory.iterdir() if path.is_dir())
            present = [path for folder in folders for path in sorted(folder.glob("*.sqlite3"))[:1]]
            for path in present[:1]:
                try:
                    self._read_state(path)
                except (sqlite3.DatabaseError, OSError):
                    self._read_state(present[-1])

    def _read_state(self, path: Path) -> None:
        opened = self._opened(path)
        if opened is None:
            raise FileNotFoundError(path)  # also of one that was there a moment ago
        with opened.store.reading() as connection:
            require_ready(connection)
            connection.execute("SELECT sequence FROM state").fetchone()

    def close(self) -> None:
        """Closes all files; the next call opens them again."""
        with self._lock:
            opened, self._open = self._open, OrderedDict()
        for store in opened.values():
            store.store.close()

    def _opened_to_write(self, path: Path, tenant: str, generation: str) -> _OpenStore | None:
        """The file's connections; None where there is no file and none must be.

        A document counts after its chunks are written, so that the file was there before the count. It
        is looked for again after counting: another writer may have made it and counted meanwhile.
        """
        opened = self._opened(path)
        if opened is not None:
            return opened
        count = self._count_of(tenant)
        opened = self._opened(path)
        if opened is None and count is not None and count.documents > 0 and count.generation == generation:
            raise IndexUnavailable(LOST, retry_after_s=60.0)
        return opened

    def _opened(self, path: Path) -> _OpenStore | None:
        """The file's connections; None without a file. A file that was replaced is opened anew."""
        try:
            file_id = path.stat().st_ino
        except FileNotFoundError:
            file_id = None
        with self._lock:
            opened = self._open.pop(path, None)
            if opened is not None and opened.store.file_id != file_id:
                opened.store.close()
                opened = None
            if opened is None and file_id is not None:
                opened = _OpenStore(SqliteStore(path, busy_timeout_s=self._busy_timeout_s))
            if opened is not None:
                self._open[path] = opened
            if len(self._open) > MAX_OPEN_STORES:
                self._open.popitem(last=False)[1].store.close()
            return opened


def _tally_legs(query: LegQuery, keyword_s: float, semantic_s: float) -> None:
    """Gives each leg that was asked its milliseconds in the hop."""
    if query.text is not None:
        tally(keyword_ms=keyword_s * 1_000)
    if query.vector is not None:
        tally(semantic_ms=semantic_s * 1_000)


def _readable(connection: sqlite3.Connection, table: ChunkTable, query: LegQuery, scope: Scope) -> Mask:
    """Which rows the scope may read and the filter lets through."""

    def select(sql: str, values: list[SqlValue]) -> Mask:
        return table.mask(row_ids(connection, sql, values))

    return readable(query.filters, scope, np.ones(len(table.row_ids), np.bool_), select)
