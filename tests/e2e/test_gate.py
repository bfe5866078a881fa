"""The model endpoint goes and comes back: the gate closes the lanes, opens them, and no file is lost."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from tests.e2e.system import ROOT, System, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.environ.get("HAYLIFT_LAB") != "full",
        reason="a failed receive hides a message for 3 minutes: HAYLIFT_LAB=full",
    ),
]

FILES = 30
MINUTE_S = 10
"""Of the alarms' clock of this system."""

CLOSED_WITHIN_S = 10 * MINUTE_S
OPEN_WITHIN_S = 12 * MINUTE_S


def client(system: System, service: str) -> Any:
    outputs = system.outputs
    return boto3.client(  # type: ignore[call-overload]  # the stubs list each name
        service, endpoint_url=outputs["aws_endpoint_url"], region_name=outputs["region"],
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def switch_model(system: System, verb: str) -> None:
    words = ["local.breakage", verb, "model", "--state-dir", str(system.state_dir)]
    subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=True, timeout=180)


def lanes(system: System) -> set[str]:
    """The states of the mappings that feed ingestion."""
    found = client(system, "lambda").list_event_source_mappings()["EventSourceMappings"]
    return {one["State"] for one in found if ":haylift-local-ingestion" in one["FunctionArn"]}


def lines(system: System, function: str, since_ms: int) -> Iterator[Mapping[str, Any]]:
    """What a function has logged, line by line."""
    pages = client(system, "logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=f"/aws/lambda/haylift-local-{function}", startTime=since_ms):
        for event in page["events"]:
            if event["message"].startswith("{"):
                yield json.loads(event["message"])


def states(system: System, folder: str) -> Counter[str]:
    """The documents of this test by state."""
    table = system.outputs["outputs"]["LedgerTableName"]
    pages = client(system, "dynamodb").get_paginator("scan").paginate(TableName=table)
    rows = [item for page in pages for item in page["Items"] if folder in item["key"]["S"]]
    return Counter(item["state"]["S"] for item in rows)


def test_files_of_an_outage_cost_two_receives_at_most_and_end_by_themselves(system: System) -> None:
    folder, since_s = f"gate-{uuid.uuid4().hex[:8]}", time.time()
    since_ms = int(since_s * 1_000)

    switch_model(system, "stop")
    try:
        for number in range(FILES):
            lane = "bulk/" if number % 2 else ""
            system.put(
                f"{lane}{folder}/{number}.md", f"# File {number}\n\nIt says hello {number}.\n".encode()
            )
        eventually(lambda: lanes(system) == {"Disabled"} or None, CLOSED_WITHIN_S, "the lanes are closed")
        eventually(lambda: states(system, folder).total() == FILES or None, 60, "all files are claimed")
    finally:
        switch_model(system, "start")
    eventually(lambda: lanes(system) == {"Enabled"} or None, OPEN_WITHIN_S, "the lanes are open")
    eventually(lambda: states(system, folder) == {"SEARCHABLE": FILES} or None, 240, "all are searchable")

    tried_later = Counter(
        line["message_id"]
        for line in lines(system, "ingestion", since_ms)
        if line.get("message") == "message is tried later"
    )
    probes = [line for line in lines(system, "gate", since_ms) if "gate_probes" in line]
    assert max(tried_later.values(), default=0) <= 1, "a failed receive, and the one that worked"
    assert 2 <= len(probes) <= (time.time() - since_s) / MINUTE_S + 2
