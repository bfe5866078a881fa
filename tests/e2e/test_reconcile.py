"""Drift that somebody makes by hand is named by one command and mended by another."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from haylift.domain.documents import DocumentKey

from tests.e2e.system import System, eventually, fresh, word

pytestmark = pytest.mark.e2e

TENANT = "globex"


def _client(system: System, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=system.outputs["aws_endpoint_url"],
        region_name=system.outputs["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # the emulator takes any
    )


@pytest.fixture(autouse=True)
def _nobody_else_repairs(system: System) -> Iterator[None]:
    """The schedule might find the drift first; what it had begun is over after a run of our own."""
    events = _client(system, "events")
    events.disable_rule(Name="haylift-local-reconcile")
    _reconcile(system, "--repair", "--yes")
    yield
    events.enable_rule(Name="haylift-local-reconcile")


def _reconcile(system: System, *options: str) -> tuple[int, dict[str, object]]:
    done = system.ops("reconcile", "--tenant", TENANT, "--json", *options)
    return done.returncode, json.loads(done.stdout)


def test_lost_chunks_are_found_and_come_back(system: System) -> None:
    marker = word()
    document = system.searchable(fresh("drift.md"), f"The code is {marker}.".encode(), tenant=TENANT)
    _reconcile(system, "--repair", "--yes")
    (file,) = (system.state_dir / "index" / TENANT).glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM chunks WHERE document_id = ?", (document["document_id"],))

    code, seen = _reconcile(system)
    assert code == 1
    assert {"chunks_missing"} == set(seen["kinds"])  # type: ignore[call-overload]

    code, mended = _reconcile(system, "--repair", "--yes")

    assert code == 0
    assert mended["left"] == {}
    system.wait_for(document["key"], "SEARCHABLE", revision=document["revision"] + 1)
    eventually(lambda: system.search(marker, tenant=TENANT)["results"] or None, 10, "the document is found")
    assert _reconcile(system)[0] == 0


def test_a_row_of_nobody_is_claimed_again(system: System) -> None:
    key = DocumentKey.parse(system.searchable(fresh("row.md"), b"A row.", tenant=TENANT)["key"])
    _client(system, "dynamodb").update_item(
        TableName=json.loads((system.state_dir / "outputs.json").read_text())["outputs"]["LedgerTableName"],
        Key={"tenant": {"S": key.tenant}, "document_id": {"S": key.document_id}},
        UpdateExpression="SET live_version_id = :other",
        ExpressionAttributeValues={":other": {"S": "another"}},
    )

    code, mended = _reconcile(system, "--repair", "--yes")

    assert code == 0
    assert mended["kinds"] == {"wrong_state": 1}
