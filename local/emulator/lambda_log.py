"""What a function prints, read without waiting and written to its log group as CloudWatch Logs has it."""

import os
import select
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any
from uuid import uuid4

from ministack.services import cloudwatch_logs
from ministack.services import lambda_svc as lambdas

from local.emulator.log_groups import append

LineSink = Callable[[str], None]
_READ_BYTES = 65536


class LogPipe:
    """The output of one function process, as lines.

    The runtime client flushes what a handler printed before it posts the response, so when the response is
    here the lines are in the pipe: `drain` reads them at once, whoever else is reading, and never sleeps.
    """

    def __init__(self, stream: IO[bytes], sink: LineSink) -> None:
        """Read from `stream`, unbuffered, and give each line, without its end, to `sink`."""
        self._stream = stream
        self._sink = sink
        self._reading = threading.Lock()
        self._rest = b""
        self._is_closed = False

    def pump(self) -> None:
        """Give lines to the sink as they come, until the process has closed its end; then close ours."""
        with self._stream:
            while not self._is_closed:
                self._is_readable(None)
                self.drain()

    def drain(self) -> None:
        """Give everything that has been written so far to the sink."""
        with self._reading:
            while not self._is_closed and self._is_readable(0):
                self._take(os.read(self._stream.fileno(), _READ_BYTES))

    def _is_readable(self, limit_ms: int | None) -> bool:
        # A poll object of its own for each thread: they refuse to be shared.
        poll = select.poll()
        poll.register(self._stream, select.POLLIN)
        return bool(poll.poll(limit_ms))

    def _take(self, chunk: bytes) -> None:
        self._is_closed = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._is_closed and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._sink(line.decode("utf-8", errors="replace").rstrip("\r"))


class LogStream:
    """One execution environment's stream in its function's log group.

    Writes happen in the account and region of the function, whatever thread they come from.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        """`config` is the function's, as ministack keeps it; nothing is created before a write."""
        self._config = config
        logging_config = config.get("LoggingConfig") or {}
        self.group = str(logging_config.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}")
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        self.name = f"{day}/[{config.get('Version', '$LATEST')}]{uuid4().hex}"

    def write(self, message: str) -> None:
        """Append one event, forwarded to the subscription filters of the group."""
        lambdas._run_with_function_config_scope(self._config, self._append, message)

    def _append(self, message: str) -> None:
        groups = cloudwatch_logs._log_groups
        if self.group not in groups:
            groups[self.group] = {
                "arn": cloudwatch_logs._make_group_arn(self.group), "creationTime": int(time.time() * 1000),
                "retentionInDays": None, "tags": {}, "subscriptionFilters": {}, "streams": {},
            }  # fmt: skip
        append(self.group, self.name, message)
