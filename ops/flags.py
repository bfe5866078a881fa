"""`ops flags`: the switches of an operator. They take effect within 5 seconds, and each change is audited."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from haylift.adapters.dynamodb_flags import DynamoDbFlags
from haylift.domain.documents import Lane
from haylift.domain.flags import Flags

from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK, UsageFault
from ops.lanes import lane_sources, pause, resume
from ops.proof import Seen, prove
from ops.questions import add_login_arguments
from ops.session import Session

KEYWORD_ONLY, SHED_LOAD, PAUSE_INGESTION = "keyword-only", "shed-load", "pause-ingestion"
NAMES = (KEYWORD_ONLY, SHED_LOAD, PAUSE_INGESTION)
ON, OFF = "on", "off"
EFFECT_S = 5
"""How long a function goes on with the flags that it has read."""

GATE_HOLDS = (
    "The gate holds {lanes} until the model endpoint answers, and opens them then; "
    "not to wait: python -m ops ingest gate off --yes"
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change that was asked for. `warning`: what would happen to whom; empty when it needs no `--yes`."""

    name: str
    value: str
    warning: str
    apply: Callable[[Session, Deployment], None]


def add_list_arguments(_parser: ArgumentParser) -> None:
    """`ops flags list` has no options of its own."""


def add_set_arguments(parser: ArgumentParser) -> None:
    """The options of `ops flags set`."""
    parser.add_argument("name", choices=NAMES, metavar="FLAG", help=", ".join(NAMES))
    parser.add_argument(
        "value", metavar="VALUE", help="on or off; of shed-load a percentage from 1 to 100, or off"
    )
    parser.add_argument("--yes", action="store_true", help="needed for what users feel")
    parser.add_argument(
        "--prove", action="store_true", help="search as a user until the flag is seen (at most 20 searches)"
    )
    add_login_arguments(parser)


def run_list(session: Session) -> int:
    """Shows all flags."""
    _show(session, session.deployment())
    return EXIT_OK


def run_set(session: Session) -> int:
    """Sets one flag, waits until it stands, and shows all.

    Raises:
        UsageFault: `invalid_value`; `yes_missing` when users would feel it and `--yes` is not given.
    """
    options = session.options
    change = _change(options.name, options.value)
    if change.warning and not options.yes:
        command = at_hand(f"python -m ops flags set {change.name} {change.value} --yes", options)
        raise UsageFault("yes_missing", f"{change.warning} To do it: {command}")
    deployment = session.deployment()
    change.apply(session, deployment)
    resource = f"{change.name}={change.value}"
    audited(deployment, "flag.set", resource, done=f"{change.name} is {change.value}")
    if options.prove and change.name != PAUSE_INGESTION:
        _prove(session, change)
    _show(session, deployment)
    return EXIT_OK


def _prove(session: Session, change: Change) -> None:
    """Searches as a user; Lambda's own answer has proved a pause already."""
    is_set = change.value != OFF

    def is_in_effect(seen: Seen) -> bool:
        return (seen.is_shed if change.name == SHED_LOAD else seen.is_keyword_only) == is_set

    with session.logged_in() as api:
        took_s = prove(session.world, api, is_in_effect, after_s=0.0 if is_set else EFFECT_S)
    session.terminal.remark(f"Seen by a search after {took_s:.1f} s.")


def _change(name: str, value: str) -> Change:
    if name == SHED_LOAD:
        return _shed_load(value)
    if value not in {ON, OFF}:
        raise UsageFault("invalid_value", f"{name} is on or off, not {value!r}.")
    is_on = value == ON
    if name == KEYWORD_ONLY:
        warning = (
            "All tenants would get keyword results only, marked as degraded, and answers without reranking, "
            f"within {EFFECT_S} s; semantic searches would fail (503)."
        )
        return Change(
            name=name,
            value=value,
            warning=warning if is_on else "",
            apply=lambda _session, deployment: _write(deployment, keyword_only=is_on),
        )
    warning = (
        "Nothing that any tenant uploads or deletes would reach the search until it is switched off again."
    )
    return Change(
        name=name,
        value=value,
        warning=warning if is_on else "",
        apply=lambda session, deployment: _pause(session, deployment, is_paused=is_on),
    )


def _shed_load(value: str) -> Change:
    is_percentage = value.isascii() and value.isdigit() and 1 <= int(value) <= 100
    if not is_percentage and value != OFF:
        detail = f"{SHED_LOAD} is a percentage from 1 to 100, or off, not {value!r}."
        raise UsageFault("invalid_value", detail)
    percent = int(value) if is_percentage else 0
    warning = (
        f"{percent} of 100 searches and questions, of all tenants, would be answered 503 with Retry-After, "
        f"within {EFFECT_S} s."
    )
    return Change(
        name=SHED_LOAD,
        value=value,
        warning=warning if percent else "",
        apply=lambda _session, deployment: _write(deployment, shed_percent=percent),
    )


def _write(deployment: Deployment, **changed: Any) -> None:
    store = _store(deployment)
    store.write(replace(store.read(), **changed))


def _store(deployment: Deployment) -> DynamoDbFlags:
    return DynamoDbFlags(deployment.output("TenantsTableName"), deployment.client("dynamodb"))


def _pause(session: Session, deployment: Deployment, *, is_paused: bool) -> None:
    """Switches the lanes that feed ingestion, and waits until Lambda has done so."""
    if is_paused:
        pause(session, deployment, tuple(Lane))
    elif held := resume(session, deployment, tuple(Lane)):
        session.terminal.remark(GATE_HOLDS.format(lanes=", ".join(held)))


def _show(session: Session, deployment: Deployment) -> None:
    flags: Flags = _store(deployment).read()
    lanes = lane_sources(deployment)
    paused = [lane.queue for lane in lanes if lane.is_paused]
    document = {
        KEYWORD_ONLY.replace("-", "_"): flags.keyword_only,
        "shed_percent": flags.shed_percent,
        "pause_ingestion": bool(paused),
        "lanes": {lane.queue: lane.state for lane in lanes},
        "in_effect_within_s": EFFECT_S,
    }
    states = ", ".join(f"{lane.queue} {lane.state}" for lane in lanes) or "no lanes"
    session.terminal.result(
        document,
        [
            f"{KEYWORD_ONLY:16} {ON if flags.keyword_only else OFF}",
            f"{SHED_LOAD:16} {f'{flags.shed_percent} %' if flags.shed_percent else OFF}",
            f"{PAUSE_INGESTION:16} {ON if paused else OFF}  ({states})",
            f"Every function follows within {EFFECT_S} s; messages in work are finished.",
        ],
    )
