"""An index whose writes are counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from haylift.domain.chunks import EmbeddedChunk, Legs, Vector
from haylift.domain.errors import IndexUnavailable
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery, TenantCount
from haylift.telemetry import Metric, Telemetry


class CountedIndex:
    """A `DocumentIndex` that records `index_write_failures` for each write: 1 refused, 0 taken.

    Writing, removing and refreshing are writes. A text that the index cannot take at all is the
    document's fault and counts as taken.
    """

    def __init__(self, index: DocumentIndex, telemetry: Telemetry) -> None:
        self._index = index
        self._telemetry = telemetry

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        """Retrieves from the index."""
        return self._index.retrieve(query, scope, generation)

    def write(self, tenant: str, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Writes to the index."""
        with self._counted():
            self._index.write(tenant, generation, chunks)

    def remove(
        self,
        tenant: str,
        generation: str,
        document_id: str,
        *,
        keep_revision: int,
        up_to_revision: int | None = None,
    ) -> int:
        """Removes from the index."""
        with self._counted():
            return self._index.remove(
                tenant, generation, document_id, keep_revision=keep_revision, up_to_revision=up_to_revision
            )

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        """What the index holds of the revision."""
        return self._index.stored_chunk_ids(tenant, generation, document_id, revision=revision)

    def stored_vectors(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> Mapping[bytes, Vector]:
        """The vectors that the index holds of the revision."""
        return self._index.stored_vectors(tenant, generation, document_id, revision=revision)

    def stored_digest(self, tenant: str, generation: str, document_id: str, *, revision: int) -> str:
        """The digest of what the index holds of the revision."""
        return self._index.stored_digest(tenant, generation, document_id, revision=revision)

    def refresh(self, tenant: str, generation: str) -> None:
        """Refreshes the index."""
        with self._counted():
            self._index.refresh(tenant, generation)

    def check(self, filled: Iterable[TenantCount] = ()) -> None:
        """Checks the index."""
        self._index.check(filled)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        has_failed = False
        try:
            yield
        except IndexUnavailable:
            has_failed = True
            raise
        finally:
            self._telemetry.record(Metric.INDEX_WRITE_FAILURES, int(has_failed))
