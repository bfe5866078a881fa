"""Sweeps, reconciles bucket, ledger and index, and ends documents whose time is over."""

from dataclasses import dataclass

from haylift.settings import CommonSettings

TASKS = ("sweep", "reconcile", "retention")
"""The clock's events say `haylift.<task>` as their source; how often differs by stage."""


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the maintenance function.

    Args:
        index_store, index_location: as in the search function.
        ledger_table, tenants_table: DynamoDB tables.
        upload_bucket: where documents lie.
        interactive_queue_url, backfill_queue_url: the lanes.
        repair: whether the clock's reconcile repairs what it finds.
        reconcile_every_s: between two of the clock's whole runs.
        settle_s: the news of a changed object may be on its way for so long.
        stuck_after_s: an open document without a sign of life for so long is sent again.
        interactive_open_limit, interactive_max_bytes: as in the dispatch function.
    """

    index_store: str
    index_location: str
    ledger_table: str
    tenants_table: str
    upload_bucket: str
    interactive_queue_url: str
    backfill_queue_url: str
    repair: bool
    reconcile_every_s: float
    settle_s: float
    stuck_after_s: float
    interactive_open_limit: int = 50
    interactive_max_bytes: int = 262_144
