"""The parts of the system that health asks, and how long each may take."""

from contextlib import suppress
from typing import Protocol

from haylift.domain.errors import StoreUnavailable
from haylift.ports import DocumentIndex, Embedder, SharedCache, TenantCount
from haylift.services.health import Probe, model_status
from haylift.services.heartbeat import WatchedTenants
from haylift.tracing import Hop

MODEL_PATIENCE_S = 2.0
"""The vector of one word takes 10-50 ms; behind a batch of documents up to a second."""

NO_TENANT = "-"
"""A name that no tenant can have."""


FILLED_PER_PROBE = 8
"""Indexes that one probe reads; the next probe goes on with the next ones."""


class CheckedTable(Protocol):
    """A table that can be asked whether it answers, such as the ledger."""

    def check(self) -> None:
        """Asks the table. Raises `StoreUnavailable`."""


class FilledTenants:
    """Tenants with documents, whose index must be there: one that is gone must not pass for an empty one.

    They are learned from the tables' probe, so that tables which do not answer are not the index's fault.
    """

    def __init__(self, tenants: WatchedTenants) -> None:
        self._tenants = tenants
        self._filled: tuple[TenantCount, ...] | None = None
        self._next = 0

    def learn(self) -> None:
        """Reads the tenants' table. Raises `StoreUnavailable`."""
        self._filled = tuple(count for count in self._tenants.counts() if count.documents)

    def some(self) -> tuple[TenantCount, ...]:
        """The next few; none while the tables have not answered yet."""
        if self._filled is None:
            with suppress(StoreUnavailable):
                self.learn()
        filled = self._filled or ()
        turn = [
            filled[(self._next + place) % len(filled)] for place in range(min(len(filled), FILLED_PER_PROBE))
        ]
        self._next += len(turn)
        return tuple(turn)


def system_probes(
    index: DocumentIndex,
    cache: SharedCache,
    embedder: Embedder,
    *,
    ledger: CheckedTable,
    tenants: WatchedTenants,
) -> tuple[Probe, ...]:
    """One probe for each part; nothing can be answered without index and tables."""
    filled = FilledTenants(tenants)

    def ask_tables() -> None:
        ledger.check()
        tenants.epoch(NO_TENANT)
        filled.learn()

    def ask_index() -> None:
        index.check(filled.some())

    return (
        Probe(
            name="index",
            ask=ask_index,
            timeout_s=2.0,
            is_essential=True,
            shown_as=("document_store", "vector_store"),
            hop=Hop.INDEX,
        ),
        Probe(name="tables", ask=ask_tables, timeout_s=2.0, is_essential=True),
        Probe(name="cache", ask=cache.check, timeout_s=1.0, is_essential=False, hop=Hop.CACHE),
        Probe(
            name="model_endpoint",
            ask=lambda: model_status(embedder, MODEL_PATIENCE_S),
            timeout_s=MODEL_PATIENCE_S + 0.5,
            is_essential=False,
            shown_as=("model_service",),
            hop=Hop.EMBEDDING,
        ),
    )
