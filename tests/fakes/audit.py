"""Where audit records end, in memory."""

import base64
import gzip
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class Written(logging.Handler):
    """Keeps the records that the code under test writes into its log."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record of a line that has one."""
        if hasattr(record, "audit"):
            self.records.append({name: str(value) for name, value in record.audit.items()})


@dataclass
class MemoryArchive:
    """Objects in a dictionary; what is there stays."""

    content_by_key: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, content: bytes) -> None:
        self.content_by_key.setdefault(key, content)


@dataclass
class MemoryTrail:
    """Lines by stream."""

    lines: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)

    def append(self, stream: str, events: Sequence[tuple[int, str]]) -> None:
        self.lines += [(stream, at_ms, json.loads(text)) for at_ms, text in events]


def delivery(
    lines: Sequence[object], *, kind: str = "DATA_MESSAGE", group: str = "/aws/lambda/haylift-local-search"
) -> dict[str, Any]:
    """What CloudWatch Logs sends to a subscribed function; texts stay as they are, others become JSON."""
    batch = {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": group,
        "logStream": "2026/01/01/[1]abc",
        "subscriptionFilters": ["Audit"],
        "logEvents": [
            {
                "id": f"event-{number}",
                "timestamp": 1_767_225_600_000 + number,
                "message": line if isinstance(line, str) else json.dumps(line),
            }
            for number, line in enumerate(lines)
        ],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()}}
