"""Claims S3 events in the ledger and chooses a lane for each."""

from dataclasses import dataclass

from haylift.contract import QueueSource
from haylift.settings import CommonSettings

INTAKE = "intake"
BULK_INTAKE = "intake-bulk"
"""What is put under `documents/<tenant>/bulk/`: a flood there must not stand before a single file."""

SOURCES = (
    QueueSource(name=INTAKE, batch_size=10, max_concurrency=10),
    QueueSource(name=BULK_INTAKE, batch_size=10, max_concurrency=4),
)


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the dispatch function.

    Args:
        ledger_table, tenants_table: DynamoDB tables.
        upload_bucket: the only bucket whose events count.
        interactive_queue_url, backfill_queue_url: the lanes.
        interactive_open_limit: from this many open documents of the interactive lane on, a tenant's next ones
            take the backfill lane.
        interactive_max_bytes: a larger file takes the backfill lane. 256 KiB of text are about 250 chunks,
            25 s of two CPU cores; what follows in the lane waits no longer than that.
    """

    ledger_table: str
    tenants_table: str
    upload_bucket: str
    interactive_queue_url: str
    backfill_queue_url: str
    interactive_open_limit: int = 50
    interactive_max_bytes: int = 262_144
