"""Lambda entry of the announcer function."""

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_ledger_rows import record_of_image
from haylift.adapters.eventbridge_changes import EventBridgeChanges
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.s3_tags import S3Tags
from haylift.adapters.sqs_lanes import SqsLanes
from haylift.adapters.system_clock import SystemClock
from haylift.domain.documents import Lane
from haylift.services.announce import AnnounceService
from haylift.services.hand_on import HandOnService
from haylift.settings import read_settings

from functions.announcer.app import consume
from functions.announcer.contract import Settings


def build(settings: Settings) -> Callable[[Mapping[str, Any]], None]:
    """The function, wired to the ledger, the upload bucket and the event bus."""
    configure_logging("announcer", settings.log_level)
    service = AnnounceService(
        ledger=DynamoDbLedger(settings.ledger_table, settings.tenants_table, make_client("dynamodb")),
        tags=S3Tags(settings.upload_bucket, make_client("s3")),
        changes=EventBridgeChanges(settings.event_bus, make_client("events")),
        telemetry=EmfTelemetry(),
        now=SystemClock().now,
    )
    queue_urls = {
        Lane.INTERACTIVE: settings.interactive_queue_url,
        Lane.BACKFILL: settings.backfill_queue_url,
    }
    hand_on = HandOnService(lanes=SqsLanes(queue_urls, make_client("sqs")))
    return partial(consume, service=service, read=record_of_image, hand_on=hand_on)


@cache
def _entry() -> Callable[[Mapping[str, Any]], None]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ARG001  # Lambda's signature
    """Announces one batch of the ledger's stream."""
    _entry()(event)
