"""`ops limits`: how many searches a minute each user of a tenant may make."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from typing import Any

from haylift.adapters.dynamodb_settings import MOST_SEARCHES as MOST
from haylift.adapters.dynamodb_tenants import limit_of
from haylift.adapters.dynamodb_users import DynamoDbUsers

from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK, UsageFault
from ops.session import Session

ATTRIBUTE = "searches_per_minute"
DEFAULT = "default"
MOST_NAMED = 20
RESERVED = "#"
"""Rows whose name begins so are no tenants."""


def add_list_arguments(_parser: ArgumentParser) -> None:
    """`ops limits list` has no options of its own."""


def add_set_arguments(parser: ArgumentParser) -> None:
    """The options of `ops limits set`."""
    parser.add_argument("tenant", metavar="TENANT")
    parser.add_argument(
        "--searches-per-minute",
        type=_limit,
        required=True,
        metavar="N",
        help=f"by user, 1 to {MOST:,}; or `{DEFAULT}` for the stage's own limit",
    )


def _limit(text: str) -> int | None:
    if text == DEFAULT:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise ArgumentTypeError(f"{text[:40]!r} is neither `{DEFAULT}` nor a number from 1 to {MOST:,}")
    return int(text)


def run_list(session: Session) -> int:
    """Shows the tenants with a limit of their own, and rows that cannot be read, with how to mend them."""
    found = sorted(_rows(session.deployment()), key=lambda item: str(item["tenant"]["S"]))
    rows = [_row(item) for item in found if ATTRIBUTE in item]
    lines = [_line(row) for row in rows]
    session.terminal.result(rows, lines or ["No tenant has a limit of its own; the stage's limit holds."])
    return EXIT_OK


def _rows(deployment: Deployment) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """The rows of tenants, reserved ones left out."""
    pages = (
        deployment.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment.output("TenantsTableName"), ConsistentRead=True)
    )
    for page in pages:
        yield from (item for item in page["Items"] if not item["tenant"]["S"].startswith(RESERVED))


def _row(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    written = {kind: str(value) for kind, value in item[ATTRIBUTE].items()}
    limit = limit_of(item)
    # A number above the largest limit is taken as the largest, and shown as that.
    unreadable = {"unreadable": written} if limit is None else {}
    return {"tenant": item["tenant"]["S"], ATTRIBUTE: limit} | unreadable


def _line(row: Mapping[str, Any]) -> str:
    if (written := row.get("unreadable")) is None:
        limit = row[ATTRIBUTE]
        return f"{row['tenant']}  {f'{limit} searches a minute by user' if limit else 'no limit'}"
    mend = f"python -m ops limits set {row['tenant']} --searches-per-minute {DEFAULT}"
    return (
        f"{row['tenant']}  cannot be read ({json.dumps(written)}), the stage's limit holds; mend it: {mend}"
    )


def run_set(session: Session) -> int:
    """Sets a tenant's limit, or takes it away; functions follow within 10 seconds.

    Raises:
        UsageFault: `unknown_tenant` for one that has neither users nor documents.
    """
    deployment = session.deployment()
    tenant, limit = deployment.tenant(session.options.tenant), session.options.searches_per_minute
    _require_known(deployment, tenant)
    _write(deployment, tenant, limit)
    text = DEFAULT if limit is None else str(limit)
    resource = f"{ATTRIBUTE}={text}"
    audited(deployment, "limit.set", resource, done=f"The limit of {tenant} is {text}", tenant=tenant)
    session.terminal.result(
        {"tenant": tenant, ATTRIBUTE: limit},
        [f"{tenant}: {'the limit of the stage' if limit is None else f'{limit} searches a minute by user'}"],
    )
    return EXIT_OK


def _require_known(deployment: Deployment, tenant: str) -> None:
    """A row makes a tenant known too: a limit that was set by mistake can be taken back."""
    client = deployment.client("dynamodb")
    if client.get_item(
        TableName=deployment.output("TenantsTableName"), Key={"tenant": {"S": tenant}}, ConsistentRead=True
    ).get("Item"):
        return
    users = DynamoDbUsers(deployment.output("UsersTableName"), client)
    if users.list(tenant):
        return
    known = sorted(
        {user.tenant for user in users.list()} | {item["tenant"]["S"] for item in _rows(deployment)}
    )
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    named = ", ".join(known[:MOST_NAMED]) or "none yet: add a user or upload documents first"
    raise UsageFault("unknown_tenant", f"No tenant {tenant} has users or documents; there are {named}{more}.")


def _write(deployment: Deployment, tenant: str, limit: int | None) -> None:
    """Changes only the limit; the rest of the tenant's row is ingestion's."""
    change: dict[str, Any] = {"UpdateExpression": f"REMOVE {ATTRIBUTE}"}
    if limit is not None:
        change = {
            "UpdateExpression": f"SET {ATTRIBUTE} = :limit",
            "ExpressionAttributeValues": {":limit": {"N": str(limit)}},
        }
    deployment.client("dynamodb").update_item(
        TableName=deployment.output("TenantsTableName"), Key={"tenant": {"S": tenant}}, **change
    )
