"""Lambda entry of the maintenance function."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_inventory import DynamoDbInventory, DynamoDbNotes, DynamoDbTotals
from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.s3_inventory import S3Inventory
from haylift.adapters.s3_objects import S3Objects
from haylift.adapters.s3_tags import S3SmallFiles, S3Tags
from haylift.adapters.sqlite_inventory import SqliteInventory
from haylift.adapters.sqs_lanes import SqsLanes
from haylift.adapters.system_clock import SystemClock
from haylift.domain.documents import Lane
from haylift.services.dispatch import DispatchService
from haylift.services.drift_repair import MaintenanceParts
from haylift.services.maintenance import MaintenanceService
from haylift.services.object_metadata import ObjectMetadata
from haylift.services.reconcile import ReconcileService
from haylift.services.retention import RetentionService
from haylift.services.sweep import SweepService
from haylift.settings import SettingsError, read_settings

from functions.maintenance.app import consume
from functions.maintenance.contract import Settings


def build(settings: Settings) -> MaintenanceService:
    """The service, wired to the tables, the bucket, the index and the lanes.

    Raises:
        SettingsError: when the settings ask for an index that this version does not have.
    """
    if settings.index_store != "sqlite":
        raise SettingsError("the OpenSearch index is not part of this version: deploy with stage local")
    configure_logging("maintenance", settings.log_level)
    telemetry, clock = EmfTelemetry(), SystemClock()
    dynamodb, s3 = make_client("dynamodb"), make_client("s3")
    totals = DynamoDbTotals(settings.tenants_table, dynamodb)
    lanes = SqsLanes(
        {Lane.INTERACTIVE: settings.interactive_queue_url, Lane.BACKFILL: settings.backfill_queue_url},
        make_client("sqs"),
    )
    dispatcher = DispatchService(
        ledger=DynamoDbLedger(settings.ledger_table, settings.tenants_table, dynamodb),
        objects=S3Objects(settings.upload_bucket, s3),
        lanes=lanes,
        telemetry=telemetry,
        interactive_open_limit=settings.interactive_open_limit,
        interactive_max_bytes=settings.interactive_max_bytes,
        # A repair claims too, and must not give a document back to those whom its sidecar leaves out.
        metadata=ObjectMetadata(
            tags=S3Tags(settings.upload_bucket, s3), files=S3SmallFiles(settings.upload_bucket, s3)
        ),
    )
    parts = MaintenanceParts(
        bucket=S3Inventory(settings.upload_bucket, s3),
        rows=DynamoDbInventory(settings.ledger_table, dynamodb),
        index=SqliteInventory(Path(settings.index_location), count_of=totals.count),
        totals=totals,
        dispatch=dispatcher,
        clock=clock,
        settle_s=settings.settle_s,
    )
    return MaintenanceService(
        sweeper=SweepService(parts=parts, lanes=lanes, stuck_after_s=settings.stuck_after_s),
        scheduled=ReconcileService(parts, leaves_lost=True),
        asked=ReconcileService(parts),
        retention=RetentionService(parts=parts),
        notes=DynamoDbNotes(settings.tenants_table, dynamodb),
        clock=clock,
        telemetry=telemetry,
        repair=settings.repair,
        reconcile_every_s=settings.reconcile_every_s,
    )


@cache
def _service() -> MaintenanceService:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Goes on with one task of maintenance."""
    return consume(event, _service(), remaining_s=context.get_remaining_time_in_millis() / 1000)
