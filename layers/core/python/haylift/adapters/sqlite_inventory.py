"""Looking through the embedded index, and making a lost one anew."""

import sqlite3

from haylift.adapters.sqlite_index import SqliteIndex, _OpenStore
from haylift.adapters.sqlite_rows import digest_of
from haylift.adapters.sqlite_store import REBUILDING, create_store, store_path, translated
from haylift.domain.drift import StoredDocument, StoredRevision
from haylift.ports.maintenance import IndexState


class SqliteInventory(SqliteIndex):
    """Implements `IndexInventory` over the files of `SqliteIndex`; takes the same arguments."""

    def stored_documents(
        self, tenant: str, generation: str, *, after: str = "", limit: int = 100, with_digests: bool = False
    ) -> tuple[StoredDocument, ...]:
        """Documents in the order of their ids, from one snapshot; counts come from an index alone."""
        with translated():
            opened = self._existing(tenant, generation)
            if opened is None:
                return ()
            with opened.store.reading() as connection:
                names = connection.execute(
                    "SELECT DISTINCT document_id FROM chunks WHERE document_id > ?"
                    " ORDER BY document_id LIMIT ?",
                    (after, limit),
                ).fetchall()
                return tuple(_document(connection, name, with_digests=with_digests) for (name,) in names)

    def stored_document(self, tenant: str, generation: str, document_id: str) -> StoredDocument | None:
        """One document's revisions with their digests, in one snapshot; None: it has no chunks."""
        with translated():
            opened = self._existing(tenant, generation)
            if opened is None:
                return None
            with opened.store.reading() as connection:
                found = _document(connection, document_id, with_digests=True)
        return found if found.revisions else None

    def state(self, tenant: str, generation: str) -> IndexState:
        """Whether the file is there, and whether it answers."""
        with translated():
            opened = self._existing(tenant, generation)
            if opened is None:
                return IndexState.ABSENT
            with opened.store.reading() as connection:
                connection.execute("SELECT sequence FROM state").fetchone()
                version = connection.execute("PRAGMA user_version").fetchone()[0]
        return IndexState.REBUILDING if version == REBUILDING else IndexState.READY

    def begin_rebuild(self, tenant: str, generation: str) -> None:
        """Makes the file of a tenant that has none; one that is there stays as it is."""
        with translated():
            create_store(store_path(self._directory, tenant, generation), version=REBUILDING)

    def end_rebuild(self, tenant: str, generation: str) -> None:
        """Lets the file answer."""
        with translated():
            opened = self._existing(tenant, generation)
            if opened is not None:
                with opened.store.writing() as connection:
                    connection.execute("PRAGMA user_version = 0")

    def _existing(self, tenant: str, generation: str) -> _OpenStore | None:
        return self._opened(store_path(self._directory, tenant, generation))


def _document(connection: sqlite3.Connection, document_id: str, *, with_digests: bool) -> StoredDocument:
    """The chunks that can be found: a row without its vector is none."""
    counts = connection.execute(
        "SELECT c.revision, count(v.row_id) FROM chunks c LEFT JOIN vectors v USING (row_id)"
        " WHERE c.document_id = ? GROUP BY c.revision",
        (document_id,),
    ).fetchall()
    row = connection.execute(
        "SELECT json_extract(CAST(content AS TEXT), '$.key') FROM chunks WHERE document_id = ? LIMIT 1",
        (document_id,),
    ).fetchone()
    return StoredDocument(
        document_id=document_id,
        key=str(row[0]) if row else "",
        revisions={
            revision: StoredRevision(
                chunk_count=count, digest=digest_of(connection, document_id, revision) if with_digests else ""
            )
            for revision, count in counts
        },
    )
