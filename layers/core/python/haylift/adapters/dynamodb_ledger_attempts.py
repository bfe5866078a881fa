"""Giving a document its attempts back, after what killed its workers was repaired."""

from typing import Any

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated
from haylift.adapters.dynamodb_ledger_rows import row_key
from haylift.adapters.dynamodb_rows import Update


def forget_attempts(table_name: str, client: Any, *, tenant: str, document_id: str, revision: int) -> bool:
    """Sets the attempts of an open revision to 0; False when the ledger moved on, and nothing changed.

    Otherwise the next worker would reject it as `repeated_failure`. Safe to repeat, also beside a worker.

    Raises:
        StoreUnavailable: a retry helps.
    """
    update = Update(
        key=row_key(tenant, document_id),
        condition="#revision = :revision AND attribute_exists(#open_tenant)",
        assign={"attempts": 0},
        values={"revision": revision},
    )
    try:
        with translated("ledger"):
            client.update_item(**update.request(table_name))
    except ClientError as fault:
        if error_code(fault) != "ConditionalCheckFailedException":
            raise
        return False
    return True
