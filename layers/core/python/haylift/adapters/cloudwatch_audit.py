"""Audit lines in a log group."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from haylift.adapters.aws import error_code, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_logs import CloudWatchLogsClient

MAX_CALL_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
MAX_CALL_EVENTS = 10_000
MAX_SPAN_MS = 86_400_000
"""Limits of one PutLogEvents call (CloudWatch Logs API reference)."""

logger = logging.getLogger(__name__)

type Event = tuple[int, str]


class CloudWatchAuditTrail:
    """A log group of audit lines (`ports.audit.AuditTrail`).

    Needs `logs:CreateLogStream` and `logs:PutLogEvents` on the group, which has to be there.
    """

    def __init__(self, log_group: str, client: CloudWatchLogsClient) -> None:
        self._log_group = log_group
        self._client = client

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """Writes the events, oldest first, in as many calls as the limits ask for."""
        for call in calls(events):
            try:
                self._put(stream, call)
            except ClientError as fault:
                if error_code(fault) != "ResourceNotFoundException":
                    raise
                self._create(stream)
                self._put(stream, call)

    def _put(self, stream: str, events: Sequence[Event]) -> None:
        with translated("audit log group"):
            answer = self._client.put_log_events(
                logGroupName=self._log_group,
                logStreamName=stream,
                logEvents=[{"timestamp": at_ms, "message": text} for at_ms, text in events],
            )
        if answer.get("rejectedLogEventsInfo"):
            # Older than 14 days: the archive has them.
            logger.warning("audit lines came too late for the log group", extra={"stream": stream})

    def _create(self, stream: str) -> None:
        try:
            with translated("audit log group"):
                self._client.create_log_stream(logGroupName=self._log_group, logStreamName=stream)
        except ClientError as fault:
            if error_code(fault) != "ResourceAlreadyExistsException":
                raise


def calls(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events, sorted by time and split so that each part fits into one call."""
    call: list[Event] = []
    size_bytes = 0
    for event in sorted(events, key=lambda event: event[0]):
        own_bytes = len(event[1].encode()) + EVENT_OVERHEAD_BYTES
        is_full = len(call) >= MAX_CALL_EVENTS or size_bytes + own_bytes > MAX_CALL_BYTES
        if call and (is_full or event[0] - call[0][0] >= MAX_SPAN_MS):
            yield call
            call, size_bytes = [], 0
        call.append(event)
        size_bytes += own_bytes
    if call:
        yield call
