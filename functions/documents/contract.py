"""A tenant's documents: list, look, upload, delete."""

from dataclasses import dataclass

from haylift.routes import DOCUMENTS_ROUTES
from haylift.settings import HttpSettings

ROUTES = DOCUMENTS_ROUTES


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings):
    """Settings of the documents function.

    Args:
        ledger_table, tenants_table, receipts_table: DynamoDB tables.
        upload_bucket: where documents lie.
        upload_max_bytes: largest file a presigned upload accepts.
        upload_expires_s, download_expires_s: lifetimes of presigned requests.
    """

    ledger_table: str
    tenants_table: str
    upload_bucket: str
    receipts_table: str
    upload_max_bytes: int = 52_428_800
    upload_expires_s: int = 900
    download_expires_s: int = 300
