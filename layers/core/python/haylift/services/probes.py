"""The parts of the system that health asks, and how long each may take."""

import time
from collections.abc import Callable
from typing import Protocol

from haylift.ports import DocumentIndex, Embedder, SharedCache
from haylift.services.health import Probe, model_status
from haylift.services.heartbeat import WatchedTenants
from haylift.services.index_watch import IndexWatch
from haylift.tracing import Hop

MODEL_PATIENCE_S = 2.0
"""The vector of one word takes 10-50 ms; behind a batch of documents up to a second."""

NO_TENANT = "-"
"""A name that no tenant can have."""


class CheckedTable(Protocol):
    """A table that can be asked whether it answers, such as the ledger."""

    def check(self) -> None:
        """Asks the table. Raises `StoreUnavailable`."""


def system_probes(
    index: DocumentIndex,
    cache: SharedCache,
    embedder: Embedder,
    *,
    ledger: CheckedTable,
    tenants: WatchedTenants,
    wall_clock: Callable[[], float] = time.time,
) -> tuple[Probe, ...]:
    """One probe for each part; nothing can be answered without index and tables.

    One tenant's broken index degrades the index; only as a whole it is missing.
    """
    indexes = IndexWatch(index, tenants, wall_clock=wall_clock)

    def ask_tables() -> None:
        ledger.check()
        tenants.epoch(NO_TENANT)
        indexes.learn()

    return (
        Probe(
            name="index",
            ask=indexes.ask,
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
