"""Lambda entry of the audit function."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.cloudwatch_audit import CloudWatchAuditTrail
from haylift.adapters.lambda_telemetry import configure_logging
from haylift.adapters.s3_audit import S3AuditArchive
from haylift.services.audit import AuditKeeper
from haylift.settings import read_settings

from functions.audit.app import consume
from functions.audit.contract import Settings


def build(settings: Settings) -> AuditKeeper:
    """The keeper, wired to the audit bucket and the audit log group."""
    configure_logging("audit", settings.log_level)
    return AuditKeeper(
        archive=S3AuditArchive(settings.audit_bucket, make_client("s3")),
        trail=CloudWatchAuditTrail(settings.audit_log_group, make_client("logs")),
    )


@cache
def _keeper() -> AuditKeeper:
    return build(read_settings(Settings, os.environ))


def handler(event: Mapping[str, Any], _context: Any) -> None:
    """Keeps the records of one delivery of CloudWatch Logs."""
    consume(event, _keeper())
