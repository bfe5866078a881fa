"""Tells uploaders what became of their documents: object tags, and events on the default event bus."""

from dataclasses import dataclass

from haylift.settings import CommonSettings

BATCH_SIZE = 25
"""Changes for each invocation: at some 30 ms each they take a second, a tenth of the time-out."""


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the announcer function.

    Args:
        ledger_table, tenants_table: DynamoDB tables; the ledger's stream calls the function.
        upload_bucket: whose objects are tagged.
        interactive_queue_url, backfill_queue_url: the lanes, for documents that go on.
        event_bus: takes the events.
    """

    ledger_table: str
    tenants_table: str
    upload_bucket: str
    interactive_queue_url: str
    backfill_queue_url: str
    event_bus: str = "default"
