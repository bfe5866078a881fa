"""`ops audit`: who did what, with what outcome; and whether the archive is whole and still says the same."""

import hashlib
import json
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from haylift.audit import Outcome

from ops import redelivery
from ops.deployment import Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL
from ops.logs import log_events, minutes
from ops.session import Session

DEFAULT_MINUTES = 60.0
MAX_RECORDS = 2_000
"""Newest records that are shown; more are in the archive."""

GONE_CODES = frozenset({"NoSuchKey", "404"})


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops audit`."""
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=DEFAULT_MINUTES,
        metavar="N",
        help="how far back (default %(default)g); the newest 2,000 records are shown",
    )
    parser.add_argument("--actor", help="user name, system, anonymous, or an operator's identity")
    parser.add_argument("--tenant", help="whose resources")
    parser.add_argument("--action", help="what it begins with, for example `DELETE /v1/documents` or `user.`")
    parser.add_argument("--outcome", choices=[outcome.value for outcome in Outcome])
    parser.add_argument(
        "--verify",
        action="store_true",
        help="compare each object of the archive with the SHA-256 that its records name",
    )
    parser.add_argument(
        "--redeliver",
        action="store_true",
        help="show deliveries of log lines that were given up; with --yes deliver them again",
    )
    parser.add_argument("--yes", action="store_true", help="really deliver them again")


def run(session: Session) -> int:
    """Shows the records, oldest first; with `--verify` exit code 3 says that an object was changed."""
    if session.options.redeliver:
        return redelivery.run(session)
    options, deployment = session.options, session.deployment()
    since_ms = int((session.world.now() - options.minutes * 60) * 1_000)
    wanted = {
        name: getattr(options, name) for name in ("actor", "tenant", "outcome") if getattr(options, name)
    }
    matching = (
        record
        for record in _records(deployment, since_ms)
        if all(record.get(name) == value for name, value in wanted.items())
        and str(record.get("action", "")).startswith(options.action or "")
    )
    records = sorted(deque(matching, MAX_RECORDS), key=lambda record: (record["at"], record["event_id"]))
    changed = _changed_objects(deployment, records) if options.verify else []
    document: object = {"records": records, "changed": changed} if options.verify else records
    session.terminal.result(document, [*map(_line, records), *(f"CHANGED {key}" for key in changed)])
    if not records:
        session.terminal.remark(f"Nothing of that kind was recorded in the last {options.minutes:g} minutes.")
    elif options.verify and not changed:
        session.terminal.remark("Every object says what its records say.")
    return EXIT_UNWELL if changed else EXIT_OK


def _records(deployment: Deployment, since_ms: int) -> Iterator[dict[str, Any]]:
    """Each record once, although the log group may have it more often."""
    group = deployment.output("AuditLogGroupName")
    seen: set[str] = set()
    for _, text in log_events(deployment.client("logs"), group, since_ms=since_ms, pattern=""):
        record = json.loads(text)
        if record["event_id"] not in seen:
            seen.add(record["event_id"])
            yield record


def _changed_objects(deployment: Deployment, records: list[dict[str, Any]]) -> list[str]:
    """Keys of the objects that are gone or say something else than when their records were written."""
    client, bucket = deployment.client("s3"), deployment.output("AuditBucketName")
    digest_by_key = {record["object"]: record["object_sha256"] for record in records}
    return [key for key, digest in digest_by_key.items() if _digest(client, bucket, key) != digest]


def _digest(client: Any, bucket: str, key: str) -> str:
    """The SHA-256 of an object's bytes, computed here; empty when the object is gone."""
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as fault:
        if fault.response.get("Error", {}).get("Code") not in GONE_CODES:
            raise
        return ""
    with body:
        return hashlib.sha256(body.read()).hexdigest()


def _line(record: dict[str, Any]) -> str:
    """A record in one line: when, how it ended, who, of which tenant, what, and from where.

    >>> _line({"at": "2026-01-01T00:00:00.000Z", "outcome": "denied", "actor": "ada", "tenant": "acme",
    ...     "action": "DELETE /v1/documents/{document_id}", "resource": "d-1", "code": "body_too_large",
    ...     "source_address": "203.0.113.7"})
    '2026-01-01T00:00:00.000Z denied   ada (acme)  DELETE /v1/documents/{document_id}  d-1  body_too_large  \
from 203.0.113.7'
    """
    tenant = f" ({record['tenant']})" if record.get("tenant") else ""
    source = f"from {record['source_address']}" if record.get("source_address") else ""
    parts = [
        f"{record['actor']}{tenant}",
        record["action"],
        record.get("resource"),
        record.get("code"),
        source,
    ]
    return f"{record['at']} {record['outcome']:8} " + "  ".join(part for part in parts if part)
