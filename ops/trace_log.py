"""The lines that a request left: in the gateway's access log and in the logs of the functions."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from haylift.routes import AUTH_ROUTES, DOCUMENTS_ROUTES, METRICS_ROUTES, REFERENCE_ROUTES, SEARCH_ROUTES

from ops.deployment import Deployment
from ops.faults import OpsFault
from ops.logs import log_events

ROUTES_BY_FUNCTION = {
    "auth": AUTH_ROUTES,
    "documents": DOCUMENTS_ROUTES,
    "metrics": METRICS_ROUTES,
    "reference": REFERENCE_ROUTES,
    "search": SEARCH_ROUTES,
}
FUNCTIONS = ("authorizer", *ROUTES_BY_FUNCTION)
MAX_READERS = 4
"""Log groups that are read at once: FilterLogEvents is limited to 5-10 calls a second for an account."""

STEPS_MINUTES = (2, 10, 60, 360, 1_440, 20_160)
"""The newest failing request is sought in ever longer times, so that a busy stage is not read whole."""

NONE = "-"
"""What API Gateway writes where it has no value."""

ENDINGS = ("Task timed out", "Runtime exited")
"""What Lambda writes when it ends a function; such a line has Lambda's own request id, not ours."""


@dataclass(frozen=True, kw_only=True)
class HopLine:
    """One hop as a function logged it; `started_at` in epoch seconds."""

    function: str
    hop: str
    started_at: float
    duration_ms: float
    depth: int
    outcome: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that was logged of one request.

    Args:
        gateway: the line of the access log; None when it is not there (yet).
        remarks: warnings and errors of the functions, one text each.
        missing_groups: log groups that the stage does not have.
    """

    gateway: Mapping[str, str] | None = None
    hops: tuple[HopLine, ...] = ()
    remarks: tuple[str, ...] = ()
    missing_groups: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when nothing at all is known of the request."""
        return self.gateway is None and not self.hops and not self.remarks

    @property
    def is_whole(self) -> bool:
        """True when no line is missing that must come: the gateway's, and the function's if it was called."""
        if self.gateway is None:
            return False
        was_called = said(self.gateway, "integrationStatus") is not None
        return not was_called or any(line.hop == "function" for line in self.hops)


def said(gateway: Mapping[str, str], key: str) -> str | None:
    """What the access log says under `key`; None for a missing value and for API Gateway's dash."""
    value = str(gateway.get(key, NONE))
    return None if value in {NONE, ""} else value


def access_log_group(stage: str) -> str:
    """The gateway's log group."""
    return f"/aws/apigateway/haylift-{stage}-api"


def function_of(resource_path: str, method: str) -> str | None:
    """The function behind a route; None for an unknown one."""
    called = (method, resource_path)
    for name, routes in ROUTES_BY_FUNCTION.items():
        if called in {(route.method, route.path) for route in routes}:
            return name
    return None


def read_evidence(deployment: Deployment, request_id: str, *, since_ms: int) -> Evidence:
    """Reads all log groups that a request may stand in, up to `MAX_READERS` at once."""
    client = deployment.client("logs")
    groups = {name: f"/aws/lambda/haylift-{deployment.stage}-{name}" for name in FUNCTIONS}
    groups[""] = access_log_group(deployment.stage)

    def lines(group: str) -> list[dict[str, Any]] | None:
        try:
            found = log_events(client, group, since_ms=since_ms, pattern=f'"{request_id}"')
            return [line for _, text in found for line in _decoded(text)]
        except OpsFault:
            return None

    with ThreadPoolExecutor(MAX_READERS, thread_name_prefix="logs") as pool:
        found_by_name = dict(zip(groups, pool.map(lines, groups.values()), strict=True))
    missing = tuple(groups[name] for name, found in found_by_name.items() if found is None)
    of_gateway = [line for line in found_by_name.pop("") or () if line.get("requestId") == request_id]
    of_functions = [
        (name, line)
        for name, found in found_by_name.items()
        for line in found or ()
        if line.get("request_id") == request_id
    ]
    return Evidence(
        gateway=of_gateway[-1] if of_gateway else None,
        hops=tuple(_hop(name, line) for name, line in of_functions if _is_hop(line)),
        remarks=tuple(_remark(name, line) for name, line in of_functions if _is_remark(line)),
        missing_groups=missing,
    )


def read_ending(deployment: Deployment, function: str, *, since_ms: int) -> str | None:
    """Lambda's own line about a function that it ended in these minutes; not surely of one request."""
    client = deployment.client("logs")
    group = f"/aws/lambda/haylift-{deployment.stage}-{function}"
    for ending in ENDINGS:
        try:
            for _, text in log_events(client, group, since_ms=since_ms, pattern=f'"{ending}"'):
                if ending in text:
                    return ending
        except OpsFault:
            return None
    return None


def newest_failed(deployment: Deployment, *, now_s: float, minutes: float) -> Mapping[str, str] | None:
    """The newest request that was answered with 500 or above; without one, the newest that was refused.

    Raises:
        OpsFault: `no_logs` when the stage has no access log.
    """
    client, group = deployment.client("logs"), access_log_group(deployment.stage)
    refused: Mapping[str, str] | None = None
    for step in (*(step for step in STEPS_MINUTES if step < minutes), minutes):
        since_ms = int((now_s - step * 60) * 1_000)
        events = log_events(client, group, since_ms=since_ms, pattern="requestId")
        lines = [(at, line) for at, text in events for line in _decoded(text) if "requestId" in line]
        by_time = [line for _, line in sorted(lines, key=lambda found: found[0], reverse=True)]
        failed = next((line for line in by_time if _status(line) >= 500), None)
        if failed:
            return failed
        refused = refused or next((line for line in by_time if _status(line) >= 400), None)
    return refused


def _status(line: Mapping[str, str]) -> int:
    text = str(line.get("status", ""))
    return int(text) if text.isdigit() else 0


def _decoded(text: str) -> Iterator[dict[str, Any]]:
    """The line's object; nothing for a line that is none, such as Lambda's own."""
    try:
        line = json.loads(text)
    except ValueError:
        return
    if isinstance(line, dict):
        yield line


def _is_hop(line: Mapping[str, Any]) -> bool:
    return line.get("message") == "hop" and "hop" in line


def _is_remark(line: Mapping[str, Any]) -> bool:
    return line.get("level") in {"WARNING", "ERROR", "CRITICAL"}


def _hop(function: str, line: Mapping[str, Any]) -> HopLine:
    facts = line.get("facts")
    return HopLine(
        function=function,
        hop=str(line["hop"]),
        started_at=float(line.get("started_at", 0.0)),
        duration_ms=float(line.get("duration_ms", 0.0)),
        depth=int(line.get("depth", 0)),
        outcome=str(line.get("outcome", "")),
        facts=facts if isinstance(facts, dict) else {},
    )


def _remark(function: str, line: Mapping[str, Any]) -> str:
    """A warning or an error in one line: what happened, and the fields that name it."""
    detail = line.get("detail")
    fields = {**line, **(detail if isinstance(detail, dict) else {})}
    named = (
        f"{name} {fields[name]}"
        for name in ("code", "outcome", "cause", "exception_name")
        if fields.get(name)
    )
    return f"{function}: {line.get('message', '')} ({', '.join(named)})".replace(" ()", "")
