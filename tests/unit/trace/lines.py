"""The lines of hops, as a function writes them."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from haylift.telemetry import request_id


@dataclass(frozen=True)
class Lines:
    """What was written while the block ran."""

    stream: io.StringIO

    @property
    def text(self) -> str:
        """All lines as they stand in the log."""
        return self.stream.getvalue()

    def hops(self, *fields: str) -> list[Any]:
        """The hops in the order of their ends: one field of each, or several as a tuple."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        found = [line for line in lines if line["message"] == "hop"]
        if len(fields) == 1:
            return [line[fields[0]] for line in found]
        return [tuple(line[name] for name in fields) for line in found]


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


@contextmanager
def written(name: str = "haylift") -> Iterator[Lines]:
    """Keeps what the loggers under `name` write, formatted as in a Lambda function."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LambdaPowertoolsFormatter())
    handler.addFilter(_WithRequestId())
    logger = logging.getLogger(name)
    level, propagates, handlers = logger.level, logger.propagate, logger.handlers
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield Lines(stream)
    finally:
        logger.handlers = handlers
        logger.setLevel(level)
        logger.propagate = propagates
