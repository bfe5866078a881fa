"""Metrics and logs of a Lambda function, as CloudWatch reads them from standard output."""

import json
import logging
import sys
import time

from aws_lambda_powertools import Logger

from haylift import audit
from haylift.telemetry import NAMESPACE, SHAPES, Metric, checked_dimensions, request_id

SNAPSHOT_LOGGER = "haystack.utils.base_serialization"


class EmfTelemetry:
    """Writes each value as one record in the embedded metric format (CloudWatch's specification of it).

    By hand: Powertools' `single_metric` writes the same line in 0.1 ms of CPU, and a document has nine.
    """

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        """Prints one metric record.

        Raises:
            ValueError: when the dimensions are not exactly those of the metric's shape.
        """
        checked = checked_dimensions(metric, dimensions)
        definition = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(checked)],
            "Metrics": [{"Name": metric.value, "Unit": SHAPES[metric].unit.value}],
        }
        record = {
            "_aws": {"Timestamp": int(time.time() * 1_000), "CloudWatchMetrics": [definition]},
            **checked,
            metric.value: [float(value)],
        }
        sys.stdout.write(json.dumps(record, separators=(",", ":")) + "\n")


class NoTelemetry:
    """Records nothing: for calls that must not count among those of users."""

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        """Does nothing."""


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def configure_logging(service: str, level: str) -> None:
    """Sends the loggers under `haylift` to standard output as JSON, one line per record.

    `extra` stands at the root of a line, where `_aws` would make a metric record: callers put
    everything that a user wrote under the one key `detail`, as strings.
    """
    powertools = Logger(service=service, level=level)
    logger = logging.getLogger("haylift")
    logger.handlers = list(powertools.handlers)
    logger.setLevel(level)
    logger.propagate = False
    # Who wants fewer lines must not lose the audit.
    audit.logger.setLevel(logging.INFO)
    # Haystack warns, for each component that raises, that its snapshot of the run lacks our values. Nobody
    # reads that snapshot, and what was raised is logged or answered by whoever called the pipeline.
    logging.getLogger(SNAPSHOT_LOGGER).setLevel(logging.ERROR)
    for handler in logger.handlers:
        handler.addFilter(_RequestId())
