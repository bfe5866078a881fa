"""`ops reconcile`: what bucket, ledger and index say differently of a document; with `--repair` mended.

The function `maintenance` does the work, in parts of some seconds; this command goes from part to part.
"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from haylift.domain.drift import DriftKind
from haylift.domain.identity import is_tenant_name

from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import Deployment, Patience
from ops.faults import EXIT_FAILED, EXIT_OK, OpsFault, UsageFault
from ops.session import Session

FUNCTION, ALIAS = "maintenance", "live"
PART = Patience(connect_s=5.0, read_s=120.0, attempts=3)
"""A part takes 20 s, and more when the function must start first; one that was lost is repeated."""

ROUNDS = 60
ROUND_S = 2.0
"""Looks at what was repaired, and the pause between two: workers do what was claimed."""

MOST_SHOWN = 100


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops reconcile`."""
    parser.add_argument("--tenant", type=_tenant, metavar="TENANT", help="only this one, default all")
    parser.add_argument(
        "--repair", action="store_true", help="mend what differs, and look until it is mended"
    )
    parser.add_argument("--yes", action="store_true", help="needed for --repair")


def _tenant(text: str) -> str:
    if not is_tenant_name(text):
        raise ArgumentTypeError(f"{text!r} is no name of a tenant")
    return text


def run(session: Session) -> int:
    """Compares, and repairs when asked. Exit code 1: drift is left, or something could not be compared."""
    options = session.options
    if options.repair and not options.yes:
        command = at_hand("python -m ops reconcile --repair --yes", options)
        raise UsageFault("not_confirmed", f"A repair changes what users find: {command}")
    deployment = session.deployment()
    found, whole = _compared(session, deployment, repair=options.repair)
    left = whole if not options.repair else _left(session, deployment, whole)
    document = {
        "drifts": found,
        "kinds": dict(whole["found"]),
        "repaired": dict(whole["repaired"]),
        "left": dict(left["found"]),
        "unread": list(left["unread"]),
        "is_repair": options.repair,
    }
    session.terminal.result(document, _lines(document))
    if options.repair:
        mended = f"{sum(whole['repaired'].values())} repairs"
        audited(
            deployment, "reconcile.repair", mended, done=f"{mended} were made", tenant=options.tenant or ""
        )
    elif document["left"]:
        command = at_hand("python -m ops reconcile --repair --yes", options)
        session.terminal.remark(f"To mend it: {command}")
    return EXIT_FAILED if document["left"] or document["unread"] else EXIT_OK


def _left(session: Session, deployment: Deployment, whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is left when the workers have done what was claimed; a lost index opens only when all is in it."""
    for _ in range(ROUNDS):
        if not whole["found"] and not whole["unread"]:
            break
        session.world.sleep(ROUND_S)
        _, whole = _compared(session, deployment, repair=True)
    return whole


def _compared(
    session: Session, deployment: Deployment, *, repair: bool
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """One whole run: its findings, and the place at its end, which counts all of them."""
    found: list[dict[str, Any]] = []
    for answer in _parts(deployment, session.options.tenant, repair=repair):
        found += answer["drifts"]
        place: Mapping[str, Any] = answer["place"]
        if not answer["is_whole"]:
            counts = ", ".join(f"{kind} {count}" for kind, count in place["found"].items()) or "nothing"
            session.terminal.remark(f"tenant {place['tenant']}, {place['stage']}: {counts} so far")
    return found, place


def _parts(deployment: Deployment, tenant: str | None, *, repair: bool) -> Iterator[Mapping[str, Any]]:
    client = deployment.client("lambda", PART)
    asked: dict[str, Any] = {"task": "reconcile", "repair": repair, "tenant": tenant}
    is_whole = False
    while not is_whole:
        answer = client.invoke(
            FunctionName=f"haylift-{deployment.stage}-{FUNCTION}",
            Qualifier=ALIAS,
            Payload=json.dumps(asked).encode(),
        )
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            why = str(payload.get("errorMessage") or answer["FunctionError"])
            raise OpsFault("reconcile_failed", f"{why}; `python -m ops logs maintenance` says more.")
        yield payload
        is_whole = payload["is_whole"]
        asked["place"] = payload["place"]


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    """One line for each finding, then counts by kind.

    >>> list(_lines({"drifts": [], "kinds": {}, "repaired": {}, "left": {}, "unread": []}))
    ['Bucket, ledger and index say the same.']
    """
    shown = document["drifts"][:MOST_SHOWN]
    for drift in shown:
        path = str(drift["key"]).split("/", 2)[-1] or "(the tenant)"
        yield f"{drift['kind']:20}  {drift['tenant']}  {path}  {drift['document_id']}".rstrip()
    if len(document["drifts"]) > len(shown):
        yield f"... and {len(document['drifts']) - len(shown)} more"
    for tenant in document["unread"]:
        yield f"The index of {tenant} cannot be read: it was left out."
    counts = Counter(document["kinds"])
    if not counts and not document["unread"]:
        yield "Bucket, ledger and index say the same."
    for kind in DriftKind:
        if counts[kind]:
            repaired, left = document["repaired"].get(kind, 0), document["left"].get(kind, 0)
            yield f"{kind:20}  found {counts[kind]}, repaired {repaired}, left {left}"
