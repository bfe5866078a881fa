"""Lambda entry of the documents function."""

import os
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_receipts import DynamoDbReceipts
from haylift.adapters.dynamodb_tenants import DynamoDbTenants
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.s3_texts import S3Texts
from haylift.adapters.s3_versions import S3Versions
from haylift.adapters.system_clock import SystemClock
from haylift.http import lambda_entry
from haylift.services.documents import DocumentsService
from haylift.services.erasure import ErasureService
from haylift.settings import read_settings

from functions.documents.app import create_app
from functions.documents.contract import Settings


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function, wired to the ledger and the upload bucket."""
    configure_logging("documents", settings.log_level)
    dynamodb, s3 = make_client("dynamodb"), make_client("s3")
    ledger = DynamoDbLedger(settings.ledger_table, settings.tenants_table, dynamodb)
    objects = S3Objects(settings.upload_bucket, s3)
    service = DocumentsService(
        ledger=ledger,
        objects=objects,
        erasure=ErasureService(
            ledger=ledger,
            tenants=DynamoDbTenants(settings.tenants_table, dynamodb),
            objects=objects,
            versions=S3Versions(settings.upload_bucket, s3),
            texts=S3Texts(settings.upload_bucket, s3),
            receipts=DynamoDbReceipts(settings.receipts_table, dynamodb),
            now=SystemClock().now,
            new_id=_new_id,
        ),
        upload_max_bytes=settings.upload_max_bytes,
        upload_expires_s=settings.upload_expires_s,
        download_expires_s=settings.download_expires_s,
    )
    return lambda_entry(create_app(service, EmfTelemetry(), settings))


def _new_id() -> str:
    return uuid.uuid4().hex


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway."""
    return _entry()(event, context)
