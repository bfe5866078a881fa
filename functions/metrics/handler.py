"""Lambda entry of the metrics function."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.cloudwatch_metrics import CloudWatchMetrics
from haylift.adapters.lambda_telemetry import EmfTelemetry, configure_logging
from haylift.adapters.system_clock import SystemClock
from haylift.http import lambda_entry
from haylift.services.exposition import ExpositionService
from haylift.settings import read_settings
from haylift.telemetry import NAMESPACE

from functions.metrics.app import create_app
from functions.metrics.contract import Settings


def build(settings: Settings) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The function, wired to CloudWatch."""
    configure_logging("metrics", settings.log_level)
    reader = CloudWatchMetrics(NAMESPACE, make_client("cloudwatch"))
    return lambda_entry(create_app(ExpositionService(reader, SystemClock()), EmfTelemetry(), settings))


@cache
def _entry() -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway."""
    return _entry()(event, context)
