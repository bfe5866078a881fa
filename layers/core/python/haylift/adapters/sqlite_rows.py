"""Chunks as rows of a SQLite file."""

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from haylift.adapters.sqlite_analysis import terms
from haylift.adapters.sqlite_filters import comparable_text, field_rows
from haylift.adapters.sqlite_table import stored_term, wrong_dimensions
from haylift.domain.chunks import Chunk, EmbeddedChunk, Hit, Legs, Vector

_TO_JSON = json.JSONEncoder(ensure_ascii=False).encode


def require_dimensions(connection: sqlite3.Connection, chunks: Iterable[EmbeddedChunk]) -> None:
    """Refuses vectors of other dimensions than those that are there; the first ones say which."""
    (dimensions,) = connection.execute("SELECT dimensions FROM state").fetchone()
    for embedded in chunks:
        dimensions = dimensions or len(embedded.vector)
        if len(embedded.vector) != dimensions:
            raise wrong_dimensions(dimensions, len(embedded.vector))
    connection.execute("UPDATE state SET dimensions = ?", (dimensions,))


def insert_chunks(connection: sqlite3.Connection, chunks: Iterable[EmbeddedChunk]) -> None:
    """Adds chunks with their words, vectors, fields and groups, table by table."""
    words: list[tuple[int | None, str]] = []
    vectors: list[tuple[int | None, str, int, bytes]] = []
    fields: list[tuple[object, ...]] = []
    groups: list[tuple[bytes, int | None]] = []
    for embedded in chunks:
        chunk = embedded.chunk
        row_id = connection.execute(
            "INSERT INTO chunks(chunk_id, document_id, revision, content) VALUES (?, ?, ?, ?)",
            (chunk.chunk_id, chunk.document_id, chunk.revision, _content(chunk)),
        ).lastrowid
        found = terms(chunk.embedded_text)
        words.append((row_id, stored_term(" ".join(found))))
        vector = np.asarray(embedded.vector, np.float32).tobytes()
        vectors.append((row_id, chunk.chunk_id, len(found), vector))
        fields += [(*field, row_id) for field in field_rows(chunk)]
        groups += [(comparable_text(name), row_id) for name in chunk.access_groups]
    connection.executemany("INSERT INTO terms(rowid, words) VALUES (?, ?)", words)
    connection.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", vectors)
    connection.executemany("INSERT INTO fields VALUES (?, ?, ?, ?)", fields)
    connection.executemany("INSERT INTO chunk_groups VALUES (?, ?)", groups)


def delete_rows(connection: sqlite3.Connection, gone: Sequence[int]) -> None:
    """Takes the chunks of these row ids away, with all that belongs to them."""
    bound = [(row_id,) for row_id in gone]
    connection.executemany("DELETE FROM chunks WHERE row_id = ?", bound)
    connection.executemany("DELETE FROM vectors WHERE row_id = ?", bound)
    connection.executemany("DELETE FROM fields WHERE row_id = ?", bound)
    connection.executemany("DELETE FROM chunk_groups WHERE row_id = ?", bound)
    connection.executemany("DELETE FROM terms WHERE rowid = ?", bound)


def digest_of(connection: sqlite3.Connection, document_id: str, revision: int) -> str:
    """SHA-256 (hexadecimal) over the revision's chunks by id: contents and vectors; empty without chunks."""
    digest = hashlib.sha256()
    count = 0
    for chunk_id, content, vector in connection.execute(
        "SELECT c.chunk_id, c.content, v.vector FROM chunks c JOIN vectors v USING (row_id)"
        " WHERE c.document_id = ? AND c.revision = ? ORDER BY c.chunk_id",
        (document_id, revision),
    ):
        # Lengths first, so that what moves from one part to the next is seen.
        digest.update(f"{chunk_id} {len(content)} {len(vector)} ".encode())
        digest.update(content)
        digest.update(vector)
        count += 1
    return digest.hexdigest() if count else ""


def chunk_ids_of(connection: sqlite3.Connection, document_id: str, revision: int) -> frozenset[str]:
    """The ids of the revision's chunks."""
    rows = connection.execute(
        "SELECT chunk_id FROM chunks WHERE document_id = ? AND revision = ?", (document_id, revision)
    )
    return frozenset(chunk_id for (chunk_id,) in rows)


def vectors_of(connection: sqlite3.Connection, document_id: str, revision: int) -> dict[bytes, Vector]:
    """The vectors of the revision's chunks by the digest of the text that they were made of."""
    rows = connection.execute(
        "SELECT c.content, v.vector FROM chunks c JOIN vectors v USING (row_id)"
        " WHERE c.document_id = ? AND c.revision = ?",
        (document_id, revision),
    )
    return {_chunk(content).embedded_digest: array("f", vector) for content, vector in rows}


def _content(chunk: Chunk) -> bytes:
    # Its own dictionary, in the order of the fields: `asdict` would copy every value of it.
    fields = {**vars(chunk), "access_groups": sorted(chunk.access_groups)}
    return _TO_JSON(fields).encode("utf-8", "surrogatepass")


def chunks_of(connection: sqlite3.Connection, found: set[int]) -> dict[int, Chunk]:
    """The chunks of these row ids."""
    rows = connection.execute(
        "SELECT row_id, content FROM chunks WHERE row_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(found)),),
    )
    return {row_id: _chunk(content) for row_id, content in rows}


def legs_of(
    keyword: Sequence[tuple[int, float]], semantic: Sequence[tuple[int, float]], chunks: Mapping[int, Chunk]
) -> Legs:
    """Both legs from row ids with scores, best first; rows without a chunk are left out."""
    return Legs(
        keyword=tuple(
            Hit(chunk=chunks[row_id], score=score, keyword_rank=rank, keyword_score=score)
            for rank, (row_id, score) in enumerate(keyword, start=1)
            if row_id in chunks
        ),
        semantic=tuple(
            Hit(chunk=chunks[row_id], score=score, semantic_rank=rank, semantic_score=score)
            for rank, (row_id, score) in enumerate(semantic, start=1)
            if row_id in chunks
        ),
    )


def _chunk(content: bytes) -> Chunk:
    fields = json.loads(content.decode("utf-8", "surrogatepass"))
    fields["headings"] = tuple(fields["headings"])
    fields["access_groups"] = frozenset(fields["access_groups"])
    return Chunk(**fields)
