"""Asks all sources at once; one that does not answer is named and hides nothing else."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from haylift.adapters.dynamodb_flags import DynamoDbFlags
from haylift.domain.errors import HayliftError
from haylift.domain.identity import Role

from ops import sources
from ops.api import ApiClient
from ops.deployment import Deployment
from ops.faults import OpsFault
from ops.session import Credentials, Session
from ops.sources import QUICK
from ops.state import HEALTH, METRICS, Health, Snapshot

type Source = Callable[[], object]


@dataclass(frozen=True)
class Gathered:
    """Answers by source, and why others gave none."""

    answers: Mapping[str, Any]
    faults: Mapping[str, str]


def gather(asked: Mapping[str, Source], limit_s: float) -> Gathered:
    """Asks all sources, each in a thread that does not hold up the end of the program."""
    answers: dict[str, Any] = {}
    faults: dict[str, str] = {}
    threads = {
        name: threading.Thread(target=_ask, args=(name, ask, answers, faults), name=name, daemon=True)
        for name, ask in asked.items()
    }
    ends_at = time.monotonic() + limit_s
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, ends_at - time.monotonic()))
    # Copies: a late thread may still write.
    given, failed = dict(answers), dict(faults)
    late = {name: f"no answer within {limit_s:g} s" for name in asked if name not in given | failed}
    return Gathered(given, failed | late)


def _ask(name: str, source: Source, answers: dict[str, Any], faults: dict[str, str]) -> None:
    try:
        answers[name] = source()
    except (OpsFault, HayliftError) as fault:
        faults[name] = f"{fault.code}: {fault.detail}"
    except ClientError as fault:
        error = fault.response.get("Error", {})
        faults[name] = f"{error.get('Code', 'error')}: {error.get('Message', fault)}"
    except Exception as fault:  # outermost of a source's thread: whatever it is, the screen names it
        faults[name] = f"{type(fault).__name__}: {fault}"


def take_snapshot(session: Session, deployment: Deployment, minutes: float) -> Snapshot:
    """What all sources say now."""
    now_s = session.world.now()
    found = gather(
        {
            METRICS: partial(sources.measurements, deployment, now_s=now_s, minutes=minutes),
            HEALTH: partial(live_health, session, deployment),
            "queues": partial(sources.queues, deployment),
            "alarms": partial(sources.alarms, deployment),
            "flags": partial(flags, deployment),
            "sources": partial(sources.event_sources, deployment),
            "lane_holds": partial(sources.lane_holds, deployment),
            "signing_key": partial(sources.signing_key, deployment),
            "heartbeat_rule": partial(sources.heartbeat_rule, deployment),
            "backlog": partial(sources.backlog, deployment),
            "deploy": partial(sources.last_deploy, deployment),
        },
        session.world.sources_s,
    )
    named = {"measurements" if name == METRICS else name: answer for name, answer in found.answers.items()}
    return Snapshot(
        stage=deployment.stage,
        at_s=now_s,
        minutes=minutes,
        signing_key_id=deployment.outputs.get("SigningKeyId", ""),
        unanswered=found.faults,
        **named,
    )


def flags(deployment: Deployment) -> object:
    """The operators' flags."""
    return DynamoDbFlags(deployment.output("TenantsTableName"), deployment.client("dynamodb", QUICK)).read()


def live_health(session: Session, deployment: Deployment) -> Health:
    """What `GET /health` says now: with its parts to a local administrator, else the status alone."""
    started = time.monotonic()
    with ApiClient(deployment.api_url, session.world.transport, answer_timeout_s=QUICK.read_s) as api:
        fault = _enter_as_admin(api, session, deployment)
        body = api.health()
    parts = body.get("dependencies") or {}
    return Health(
        status=str(body["status"]),
        took_s=time.monotonic() - started,
        parts={name: str(part["status"]) for name, part in parts.items()},
        codes={name: str(part["code"]) for name, part in parts.items() if part.get("code")},
        duration_ms_by_part={name: float(part["duration_ms"]) for name, part in parts.items()},
        login_fault=fault,
    )


def _enter_as_admin(api: ApiClient, session: Session, deployment: Deployment) -> str:
    """Logs a local administrator in; gives what a failed login was answered, since health is open to all."""
    admin = next((user for user in deployment.users if user.role is Role.ADMIN), None)
    if admin is None:
        return ""
    try:
        session.enter(api, deployment, Credentials(admin.username, admin.password))
    except OpsFault as fault:
        return f"{fault.code}: {fault.detail}"
    return ""
