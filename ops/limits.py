"""`ops limits`: how many searches a minute each user of a tenant may make."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK
from ops.session import Session

ATTRIBUTE = "searches_per_minute"
DEFAULT = "default"
MOST = 100_000
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
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise ArgumentTypeError(f"{text!r} is neither `{DEFAULT}` nor a number from 1 to {MOST}")
    return int(text)


def run_list(session: Session) -> int:
    """Shows the tenants with a limit of their own."""
    deployment = session.deployment()
    pages = (
        deployment.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment.output("TenantsTableName"), ConsistentRead=True)
    )
    limits = {
        item["tenant"]["S"]: int(item[ATTRIBUTE]["N"])
        for page in pages
        for item in page["Items"]
        if ATTRIBUTE in item and not item["tenant"]["S"].startswith(RESERVED)
    }
    rows = [{"tenant": tenant, ATTRIBUTE: limit} for tenant, limit in sorted(limits.items())]
    lines = [f"{row['tenant']}  {row[ATTRIBUTE]} searches a minute by user" for row in rows]
    session.terminal.result(rows, lines or ["No tenant has a limit of its own; the stage's limit holds."])
    return EXIT_OK


def run_set(session: Session) -> int:
    """Sets a tenant's limit, or takes it away; functions follow within 10 seconds."""
    deployment = session.deployment()
    tenant, limit = deployment.tenant(session.options.tenant), session.options.searches_per_minute
    _write(deployment, tenant, limit)
    text = DEFAULT if limit is None else str(limit)
    resource = f"{ATTRIBUTE}={text}"
    audited(deployment, "limit.set", resource, done=f"The limit of {tenant} is {text}", tenant=tenant)
    session.terminal.result(
        {"tenant": tenant, ATTRIBUTE: limit},
        [f"{tenant}: {'the limit of the stage' if limit is None else f'{limit} searches a minute by user'}"],
    )
    return EXIT_OK


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
