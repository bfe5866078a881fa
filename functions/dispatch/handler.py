"""Lambda entry of the dispatch function."""

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.s3_events import read_object_event
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.s3_tags import S3SmallFiles, S3Tags
from haylift.adapters.sqs_lanes import SqsLanes
from haylift.domain.documents import Lane
from haylift.services.batches import PartialBatch
from haylift.services.dispatch import DispatchService
from haylift.services.object_metadata import ObjectMetadata
from haylift.settings import read_settings

from functions.dispatch.app import consume
from functions.dispatch.contract import Settings


def build(settings: Settings) -> Callable[..., PartialBatch]:
    """The function, wired to the ledger, the upload bucket and the lanes."""
    configure_logging("dispatch", settings.log_level)
    queue_urls = {
        Lane.INTERACTIVE: settings.interactive_queue_url,
        Lane.BACKFILL: settings.backfill_queue_url,
    }
    s3 = make_client("s3")
    service = DispatchService(
        ledger=DynamoDbLedger(settings.ledger_table, settings.tenants_table, make_client("dynamodb")),
        objects=S3Objects(settings.upload_bucket, s3),
        lanes=SqsLanes(queue_urls, make_client("sqs")),
        telemetry=EmfTelemetry(),
        interactive_open_limit=settings.interactive_open_limit,
        interactive_max_bytes=settings.interactive_max_bytes,
        metadata=ObjectMetadata(
            tags=S3Tags(settings.upload_bucket, s3), files=S3SmallFiles(settings.upload_bucket, s3)
        ),
    )
    return partial(consume, service=service, read=partial(read_object_event, bucket=settings.upload_bucket))


@cache
def _entry() -> Callable[..., PartialBatch]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> PartialBatch:
    """Claims one batch of the intake queue."""
    return _entry()(event, remaining_s=context.get_remaining_time_in_millis() / 1000)
