"""The screen of `ops status`, in plain lines of at most about 110 characters."""

from collections.abc import Iterator, Sequence
from typing import Any

from ops.diagnosis import Cause
from ops.state import Snapshot
from ops.status_document import dependencies, freshness, functions, gateway, model_endpoint, queues, routes

NOTHING = "-"
MOST_ROUTES = 8
AUTHORIZER = "authorizer"


def screen(snapshot: Snapshot, causes: Sequence[Cause]) -> Iterator[str]:
    """All sections; one without data says so in its line."""
    yield from _causes(causes)
    yield from _alarms(snapshot)
    yield from _requests(snapshot)
    yield from _parts(snapshot)
    yield from _documents(snapshot)
    yield from _switches(snapshot)
    for name, why in snapshot.unanswered.items():
        yield f"NOT SEEN      {name}: {why}"


def _causes(causes: Sequence[Cause]) -> Iterator[str]:
    for number, cause in enumerate(causes, 1):
        yield f"{number}. {cause.name} ({cause.severity.name.lower()})"
        yield from (f"     {text}" for text in cause.evidence if text)
        yield from (f"   > {command}" for command in cause.commands)
    if causes:
        yield ""


def _alarms(snapshot: Snapshot) -> Iterator[str]:
    ringing = [alarm for alarm in snapshot.alarms if alarm.is_telling]
    for alarm in ringing:
        yield f"ALARM         {alarm.name}  {alarm.severity or 'no severity'}  since {alarm.since}"
    if not ringing and "alarms" not in snapshot.unanswered:
        yield f"alarms        none of {len(snapshot.alarms)} rings"


def _requests(snapshot: Snapshot) -> Iterator[str]:
    calls = gateway(snapshot)
    yield (
        f"requests      {calls['requests']} in {snapshot.minutes:g} min at the gateway: "
        f"{calls['refused_4xx']} refused (4xx), {calls['failed_5xx']} failed (5xx)"
    )
    for route in routes(snapshot)[:MOST_ROUTES]:
        failed = f"{route['failures']} failed ({route['error_ratio']:.1%})"
        yield f"  {route['endpoint']:28} {route['requests']:6}  {failed:18}  p95 {_seconds(route['p95_s'])}"


def _parts(snapshot: Snapshot) -> Iterator[str]:
    model = model_endpoint(snapshot)
    calls = ", ".join(f"{outcome} {count}" for outcome, count in model["calls"].items()) or "no calls"
    p95 = ", ".join(
        f"p95 of {task} {_seconds(value)}" for task, value in model["p95_s"].items() if value is not None
    )
    yield f"model         {calls}{'; ' if p95 else ''}{p95}"
    health = snapshot.health
    yield f"health        {f'{health.status} after {health.took_s:.2f} s' if health else NOTHING}"
    for part in dependencies(snapshot):
        heard = {None: NOTHING, True: "answered", False: "did not answer"}[part["last_heartbeat"]]
        now = part["now"] or NOTHING
        took = f" in {part['took_ms']:.0f} ms" if part["took_ms"] is not None else ""
        code = f" ({part['code']})" if part["code"] else ""
        yield f"  {part['name']:16} now {now}{code}{took}; last heartbeat: {heard}"
    if snapshot.heartbeat_rule != "ENABLED" and "heartbeat_rule" not in snapshot.unanswered:
        yield f"  heartbeat rule: {snapshot.heartbeat_rule}"
    for function in functions(snapshot):
        if function["errors"] or function["throttles"]:
            yield (
                f"  function {function['name']:14} {function['invocations']} invocations, "
                f"{function['errors']} {_errors(function['name'])}, {function['throttles']} throttles"
            )


def _errors(function: str) -> str:
    """What Lambda's count of errors means: it has the tokens that the authorizer refused among them."""
    return "refusals or errors" if function == AUTHORIZER else "errors"


def _documents(snapshot: Snapshot) -> Iterator[str]:
    fresh = freshness(snapshot)
    lanes = ", ".join(
        f"{lane} p95 {_seconds(value)}"
        for lane, value in fresh["searchable_after_p95_s"].items()
        if value is not None
    )
    oldest = fresh["oldest_message_s"]
    yield f"freshness     {lanes or 'nothing was uploaded'}; oldest message {_seconds(oldest)}"
    for queue in queues(snapshot):
        yield f"  {queue['name']:16} {_queue(queue)}"
    if snapshot.backlog is not None and snapshot.backlog.documents:
        first = list(snapshot.backlog.documents_by_tenant.items())[:3]
        tenants = ", ".join(f"{tenant} {count}" for tenant, count in first)
        yield f"  unfinished documents by tenant: {tenants}"


def _queue(queue: dict[str, Any]) -> str:
    return (
        f"{queue['visible']} waiting, {queue['in_flight']} in work, {queue['delayed']} delayed, "
        f"{queue['dead']} dead letters"
    )


def _switches(snapshot: Snapshot) -> Iterator[str]:
    flags = snapshot.flags
    if flags is not None:
        shed = f"{flags.shed_percent} %" if flags.shed_percent else "off"
        yield f"flags         keyword-only {'on' if flags.keyword_only else 'off'}, shed-load {shed}"
    paused = [source.queue for source in snapshot.sources if source.is_paused]
    yield f"paused        {', '.join(paused) or 'nothing'}"
    if snapshot.deploy is not None:
        deploy = snapshot.deploy
        yield f"last deploy   {deploy.at}  {deploy.stack}  {deploy.status}"


def _seconds(value: float | None) -> str:
    """Seconds as people read them.

    >>> _seconds(0.0123), _seconds(7.25), _seconds(None)
    ('12 ms', '7.2 s', '-')
    """
    if value is None:
        return NOTHING
    return f"{value * 1_000:.0f} ms" if value < 1 else f"{value:.1f} s"
