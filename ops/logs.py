"""`ops logs`: what a function logged, from CloudWatch Logs or the emulator's."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ops.faults import EXIT_OK, OpsFault
from ops.log_lines import readable
from ops.session import Session

FUNCTIONS = (
    "announcer", "audit", "auth", "authorizer", "dispatch", "documents", "gate", "ingestion", "maintenance",
    "metrics", "reference", "search",
)  # fmt: skip
DEFAULT_MINUTES = 15.0
MAX_MINUTES = 20_160
MAX_EVENTS = 2_000
"""Newest lines that are shown: a busy function writes more than anybody reads."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops logs`."""
    parser.add_argument("function", choices=FUNCTIONS, metavar="FUNCTION", help=", ".join(FUNCTIONS))
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=DEFAULT_MINUTES,
        metavar="N",
        help="how far back (default %(default)g); the newest 2,000 lines are shown",
    )
    parser.add_argument("--filter", default="", metavar="PATTERN", help="CloudWatch's, for example ?ERROR")
    parser.add_argument(
        "--request", type=request_id, metavar="ID", help="only lines of this request (`X-Request-Id`)"
    )
    parser.add_argument("--raw", action="store_true", help="the lines as they were written, mostly JSON")


def request_id(text: str) -> str:
    """A request's id; nothing in it means anything in a filter pattern."""
    if not _REQUEST_ID.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is no request id: 1 to 128 letters, digits, - and _")
    return text


def minutes(text: str) -> float:
    """More than 0, at most 14 days."""
    number = float(text)
    if not 0 < number <= MAX_MINUTES:
        raise ArgumentTypeError(f"{text} does not lie between 0 and {MAX_MINUTES}")
    return number


def run(session: Session) -> int:
    """Shows the lines, oldest first; a quiet function is no failure."""
    options, deployment = session.options, session.deployment()
    group = f"/aws/lambda/haylift-{deployment.stage}-{options.function}"
    since_ms = int((session.world.now() - options.minutes * 60) * 1_000)
    client = deployment.client("logs")
    pattern = f'"{options.request}" {options.filter}'.rstrip() if options.request else options.filter
    events = deque(log_events(client, group, since_ms=since_ms, pattern=pattern), MAX_EVENTS)
    lines = sorted(({"at": _moment(at), "message": text} for at, text in events), key=lambda line: line["at"])
    shown = str if options.raw else readable
    session.terminal.result(lines, (f"{line['at']} {shown(line['message'])}" for line in lines))
    if not lines:
        session.terminal.remark(f"{options.function} logged nothing in the last {options.minutes:g} minutes.")
    return EXIT_OK


def log_events(client: Any, group: str, *, since_ms: int, pattern: str) -> Iterator[tuple[int, str]]:
    """The group's lines with their times in epoch milliseconds."""
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=since_ms, **({"filterPattern": pattern} if pattern else {})
    )
    try:
        for page in pages:
            for event in page["events"]:
                yield event["timestamp"], event["message"].rstrip("\n")
    except client.exceptions.ResourceNotFoundException as fault:
        raise OpsFault(
            "no_logs", f"There is no log group {group}: the stage was deployed without it."
        ) from fault


def _moment(epoch_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds.

    >>> _moment(1_767_225_600_123)
    '2026-01-01T00:00:00.123Z'
    """
    moment = datetime.fromtimestamp(epoch_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
