"""What a process keeps of an index in memory, and the two rankings over it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haylift.adapters.sqlite_analysis import terms
from haylift.domain.chunks import Vector
from haylift.domain.errors import IndexUnavailable

K1 = 1.2
B = 0.75
"""Lucene's and OpenSearch's defaults."""

COSINE_DECIMALS = 6
"""Float32 carries no more; equal vectors then score the same wherever they stand in the matrix."""

type Mask = NDArray[np.bool_]
type RowIds = NDArray[np.int64]

_ESCAPES = {ord(mark): 0xE000 + ord(mark) for mark in "_'\".,:;"}
"""The ASCII marks that may stand inside a word, as private-use characters: FTS5's `ascii` tokenizer
would split there, and the analyser makes no word of private-use characters."""


def row_ids(connection: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> RowIds:
    """The one integer column of a query, in any order.

    It crosses from SQLite as one text: five times faster than as one Python object per row.
    """
    column = query.split(maxsplit=2)[1]
    joined = f"SELECT group_concat({column}) FROM ({query})"  # noqa: S608  # values are bound
    (text,) = connection.execute(joined, values).fetchone()
    return np.fromstring(text or "", np.int64, sep=",")


def stored_term(term: str) -> str:
    """A term as FTS5 keeps it, one token."""
    return term.translate(_ESCAPES)


@dataclass(frozen=True, kw_only=True)
class ChunkTable:
    """All chunks of one state of an index, by rising row id; never changed, replaced when it is old.

    Args:
        sequence: of the state that this is.
        row_ids: `(n,)` int64, rising.
        chunk_ids: `(n,)` str objects.
        term_counts: `(n,)` float64, the length that BM25 speaks of.
        vectors: `(n, dimensions)` float32, unit length.
    """

    sequence: int
    row_ids: RowIds
    chunk_ids: NDArray[np.object_]
    term_counts: NDArray[np.float64]
    vectors: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "ChunkTable":
        """The table of an index that was never written."""
        return cls(
            sequence=0,
            row_ids=np.empty(0, np.int64),
            chunk_ids=np.empty(0, np.object_),
            term_counts=np.empty(0, np.float64),
            vectors=np.empty((0, 0), np.float32),
        )

    def at(self, connection: sqlite3.Connection) -> "ChunkTable":
        """The table of the connection's snapshot; reads only the rows that this one lacks.

        One row says whether anything changed. (`PRAGMA data_version` would not see this connection's
        own writes, and would say nothing to another connection of the same process.)
        """
        sequence, dimensions = connection.execute("SELECT sequence, dimensions FROM state").fetchone()
        if sequence == self.sequence:
            return self
        present = row_ids(connection, "SELECT row_id FROM vectors ORDER BY row_id")
        kept = np.isin(self.row_ids, present, assume_unique=True)
        rows = connection.execute(
            "SELECT row_id, chunk_id, term_count, vector FROM vectors"
            " WHERE row_id IN (SELECT value FROM json_each(?)) ORDER BY row_id",
            (json.dumps(np.setdiff1d(present, self.row_ids, assume_unique=True).tolist()),),
        ).fetchall()
        old_vectors = self.vectors if kept.all() else self.vectors[kept]
        new_vectors = _unit_vectors([row[3] for row in rows], dimensions)
        joined = ChunkTable(
            sequence=sequence,
            row_ids=np.concatenate([self.row_ids[kept], np.array([row[0] for row in rows], np.int64)]),
            chunk_ids=np.concatenate([self.chunk_ids[kept], np.array([row[1] for row in rows], np.object_)]),
            term_counts=np.concatenate([self.term_counts[kept], np.array([row[2] for row in rows], float)]),
            vectors=np.concatenate([old_vectors, new_vectors]) if len(old_vectors) else new_vectors,
        )
        return joined._in_order()

    def _in_order(self) -> "ChunkTable":
        """Rows by rising id; new rows nearly always come last, and then nothing is copied."""
        if (self.row_ids[1:] > self.row_ids[:-1]).all():
            return self
        order = np.argsort(self.row_ids)
        return ChunkTable(
            sequence=self.sequence,
            row_ids=self.row_ids[order],
            chunk_ids=self.chunk_ids[order],
            term_counts=self.term_counts[order],
            vectors=self.vectors[order],
        )

    def mask(self, readable: RowIds) -> Mask:
        """`(n,)` bool: which rows are among `readable`."""
        return np.isin(self.row_ids, readable)

    def by_words(self, connection: sqlite3.Connection, text: str) -> NDArray[np.float64]:
        """`(n,)` BM25 as Lucene computes it; 0 where no term occurs.

        SQLite's own `bm25()` is not used: it gives terms that more than half of the chunks contain
        (many, with a small tenant) next to no weight, and takes 2.4 times as long.
        """
        scores = np.zeros(len(self.row_ids))
        if not len(self.row_ids):
            return scores
        length_norm = K1 * (1 - B + B * self.term_counts / max(self.term_counts.mean(), 1.0))
        for term, times in Counter(terms(text)).items():
            rows = row_ids(connection, "SELECT doc FROM postings WHERE term = ?", (stored_term(term),))
            if len(rows):
                positions = np.searchsorted(self.row_ids, rows)
                occurrences = np.bincount(positions, minlength=len(scores))
                document_count = np.count_nonzero(occurrences)
                idf = np.log1p((len(scores) - document_count + 0.5) / (document_count + 0.5))
                scores += times * idf * occurrences / (occurrences + length_norm)
        return scores

    def by_vector(self, vector: Vector) -> NDArray[np.float64]:
        """`(n,)` cosines, exact.

        Raises:
            IndexUnavailable: when the vector has other dimensions than the index.
        """
        if not len(self.row_ids):
            return np.zeros(0)
        wanted = np.asarray(vector, np.float32)
        if wanted.shape != self.vectors.shape[1:]:
            raise wrong_dimensions(self.vectors.shape[1], len(wanted))
        cosines = self.vectors @ (wanted / (np.linalg.norm(wanted) or 1.0))
        return np.round(cosines.astype(np.float64), COSINE_DECIMALS)

    def best(self, scores: NDArray[np.float64], among: Mask, depth: int) -> list[tuple[int, float]]:
        """Up to `depth` (row id, score) of the rows `among`, best first, ties by chunk id."""
        candidates = np.flatnonzero(among)
        if len(candidates) > depth:
            values = scores[candidates]
            least = np.partition(values, len(values) - depth)[len(values) - depth]
            candidates = candidates[values >= least]
        ordered = sorted(candidates.tolist(), key=lambda at: (-scores[at], self.chunk_ids[at]))
        return [(int(self.row_ids[at]), float(scores[at])) for at in ordered[:depth]]


def wrong_dimensions(expected: int, given: int) -> IndexUnavailable:
    """The error of a vector from another model than the index was built with."""
    return IndexUnavailable(
        f"The index holds vectors of {expected} dimensions, not {given}: it was built with another model.",
        code="index_dimensions",
        retry_after_s=60.0,
    )


def _unit_vectors(blobs: list[bytes], dimensions: int) -> NDArray[np.float32]:
    matrix = np.frombuffer(b"".join(blobs), np.float32).reshape(len(blobs), dimensions)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return (matrix / np.where(norms == 0, 1.0, norms)).astype(np.float32)
