"""Operators' own decisions in the audit, written straight to where the functions' records end."""

import getpass
import time
import uuid

from haylift.adapters.cloudwatch_audit import CloudWatchAuditTrail
from haylift.adapters.s3_audit import S3AuditArchive
from haylift.audit import AuditRecord, Outcome
from haylift.services.audit import AuditEntry, AuditKeeper

from ops.deployment import Deployment

SOURCE = "ops"


def record(
    deployment: Deployment, action: str, resource: str, outcome: Outcome, *, tenant: str = "", code: str = ""
) -> None:
    """Keeps one record of what the operator did, in the audit bucket and the audit log group.

    Args:
        action: a dotted name, for example `user.disable`, `flag.set` or `drill.start`.
        resource: name of the user, the flag or the drill.
        code: why it was not done; empty when it was.

    Raises:
        OpsFault: `output_missing` when the stage was deployed without an audit.
        StoreUnavailable: the record was not kept; a retry helps.
    """
    entry = AuditEntry(
        event_id=uuid.uuid4().hex,
        at_ms=int(time.time() * 1_000),
        source=SOURCE,
        record=AuditRecord(
            actor=operator(deployment),
            tenant=tenant,
            action=action,
            resource=resource,
            outcome=outcome,
            code=code,
        ),
    )
    _keeper(deployment).keep([entry])


def operator(deployment: Deployment) -> str:
    """Who gives the command: the AWS identity, or `local:<user of this machine>`."""
    if deployment.aws_endpoint_url is not None:
        return f"local:{getpass.getuser()}"
    return str(deployment.client("sts").get_caller_identity()["Arn"])


def _keeper(deployment: Deployment) -> AuditKeeper:
    bucket, group = deployment.output("AuditBucketName"), deployment.output("AuditLogGroupName")
    return AuditKeeper(
        archive=S3AuditArchive(bucket, deployment.client("s3")),
        trail=CloudWatchAuditTrail(group, deployment.client("logs")),
    )
