"""Lines of the functions' logs as people read them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

METRICS, DETAIL = "_aws", "detail"
LEFT_OUT = frozenset(
    {
        "level",
        "message",
        "timestamp",
        "location",
        "service",
        "request_id",
        "xray_trace_id",
        "taskName",
        METRICS,
        DETAIL,
    }
)
"""Shown in a place of their own, or the same in every line."""


def readable(text: str) -> str:
    """A JSON line as level, message and facts; metrics as `METRIC name value`; any other line as it is.

    >>> readable('{"level":"INFO","message":"event seen","service":"dispatch","detail":{"path":"a b.md"}}')
    'INFO event seen path="a b.md"'
    >>> readable("REPORT RequestId: 7"), readable("[1]")
    ('REPORT RequestId: 7', '[1]')
    """
    try:
        line = json.loads(text)
    except ValueError:
        return text
    if not isinstance(line, dict):
        return text
    return " ".join(_metric(line) if isinstance(line.get(METRICS), dict) else _record(line))


def _record(line: Mapping[str, Any]) -> Iterator[str]:
    yield str(line.get("level", "-"))
    yield str(line.get("message", ""))
    yield from (_fact(name, value) for name, value in line.items() if name not in LEFT_OUT)
    detail = line.get(DETAIL)
    if isinstance(detail, dict):
        yield from (_fact(name, value) for name, value in detail.items())
    elif detail is not None:
        yield _fact(DETAIL, detail)
    if line.get("request_id"):
        yield _fact("request_id", line["request_id"])


def _metric(line: Mapping[str, Any]) -> Iterator[str]:
    """The embedded metric format: names of metrics and dimensions stand under `_aws`."""
    yield "METRIC"
    for directive in line[METRICS].get("CloudWatchMetrics", ()):
        for metric in directive.get("Metrics", ()):
            value = line.get(metric["Name"])
            yield f"{metric['Name']} {value[0] if isinstance(value, list) and len(value) == 1 else value}"
        for dimensions in directive.get("Dimensions", ()):
            yield from (_fact(name, line.get(name)) for name in dimensions)


def _fact(name: str, value: object) -> str:
    is_plain = isinstance(value, str) and value and not set(value) & set(' \t\n"=')
    return f"{name}={value if is_plain else json.dumps(value, ensure_ascii=False)}"
