"""A tenant's documents: list, look, upload, delete."""

from dataclasses import dataclass

from haylift.contract import Route
from haylift.domain.identity import Permission
from haylift.settings import CommonSettings

ROUTES = (
    Route(method="GET", path="/v1/documents", permission=Permission.READ),
    Route(method="POST", path="/v1/documents", permission=Permission.WRITE),
    Route(method="GET", path="/v1/documents/{document_id}", permission=Permission.READ),
    Route(method="DELETE", path="/v1/documents/{document_id}", permission=Permission.WRITE),
)


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Settings of the documents function.

    Args:
        ledger_table, tenants_table: DynamoDB tables.
        upload_bucket: where documents lie.
        upload_max_bytes: largest file a presigned upload accepts.
        upload_expires_s, download_expires_s: lifetimes of presigned requests.
    """

    ledger_table: str
    tenants_table: str
    upload_bucket: str
    upload_max_bytes: int = 52_428_800
    upload_expires_s: int = 900
    download_expires_s: int = 300
