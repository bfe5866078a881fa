"""Lambda entry of the documents function."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.s3_objects import S3Objects
from haylift.http import lambda_entry
from haylift.services.documents import DocumentsService
from haylift.settings import read_settings

from functions.documents.app import create_app
from functions.documents.contract import Settings


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function, wired to the ledger and the upload bucket."""
    configure_logging("documents", settings.log_level)
    service = DocumentsService(
        ledger=DynamoDbLedger(settings.ledger_table, settings.tenants_table, make_client("dynamodb")),
        objects=S3Objects(settings.upload_bucket, make_client("s3")),
        upload_max_bytes=settings.upload_max_bytes,
        upload_expires_s=settings.upload_expires_s,
        download_expires_s=settings.download_expires_s,
    )
    return lambda_entry(create_app(service, EmfTelemetry(), settings))


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway."""
    return _entry()(event, context)
