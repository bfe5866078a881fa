"""Lambda entry of the gate function."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.cloudwatch_alarms import CloudWatchAlarms
from haylift.adapters.dynamodb_lane_holds import DynamoDbLaneHolds
from haylift.adapters.lambda_lanes import LambdaLanes
from haylift.adapters.lambda_telemetry import EmfTelemetry, NoTelemetry, configure_logging
from haylift.adapters.model_endpoint import SageMakerModels
from haylift.adapters.model_invocation import CallPolicy, ModelInvoker
from haylift.domain.documents import Lane
from haylift.services.gate import PROBE_PATIENCE_S, GateService
from haylift.settings import read_settings

from functions.gate.app import consume
from functions.gate.contract import Settings


def build(settings: Settings) -> GateService:
    """The service, wired to the tenants' table, the lanes' mappings, the alarms and the model endpoint."""
    configure_logging("gate", settings.log_level)
    mapping_ids = {
        Lane.INTERACTIVE: settings.interactive_mapping_id,
        Lane.BACKFILL: settings.backfill_mapping_id,
    }
    # The probe has a metric of its own: in those of users' calls it would keep the alarm alive by itself.
    policy = CallPolicy(tries=1, embed_wait_s=PROBE_PATIENCE_S, probe_wait_s=PROBE_PATIENCE_S)
    invoker = ModelInvoker(settings.embed_endpoint, NoTelemetry(), policy=policy)
    return GateService(
        holds=DynamoDbLaneHolds(settings.tenants_table, make_client("dynamodb")),
        switches=LambdaLanes(mapping_ids, make_client("lambda")),
        alarms=CloudWatchAlarms(settings.alarm_prefix, make_client("cloudwatch")),
        embedder=SageMakerModels(invoker, settings.embed_model),
        telemetry=EmfTelemetry(),
    )


@cache
def _service() -> GateService:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, str]:
    """Looks at the lanes, called by an alarm or by the clock."""
    return consume(event, _service())
