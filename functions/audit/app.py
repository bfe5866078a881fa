"""What CloudWatch Logs delivers to a subscription, as entries of the audit."""

import base64
import gzip
import json
import logging
from collections.abc import Mapping
from typing import Any

from haylift.services.audit import AuditEntry, AuditKeeper
from haylift.services.audit_lines import NotARecord, record_of

DATA = "DATA_MESSAGE"
"""The other kind, `CONTROL_MESSAGE`, only asks whether the function is there."""

logger = logging.getLogger("haylift.audit.delivery")


def consume(event: Mapping[str, Any], keeper: AuditKeeper) -> None:
    """Keeps the records of one delivery; a line that is no record costs none of the others.

    Raises:
        StoreUnavailable: nothing is acknowledged; the same delivery again repeats nothing in the archive.
    """
    batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if batch["messageType"] != DATA:
        return
    source = batch["logGroup"]
    entries = [entry for line in batch["logEvents"] if (entry := _entry(line, source)) is not None]
    keeper.keep(entries)


def _entry(line: Mapping[str, Any], source: str) -> AuditEntry | None:
    try:
        record = record_of(line["message"])
    except NotARecord as fault:
        logger.warning(
            "line is no audit record",
            extra={"event_id": line["id"], "detail": {"source": source, "reason": str(fault)}},
        )
        return None
    if record is None:
        return None
    return AuditEntry(event_id=line["id"], at_ms=line["timestamp"], source=source, record=record)
