"""`ops ingest`: pausing a lane beside the gate."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from haylift.adapters.dynamodb_lane_holds import DynamoDbLaneHolds
from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder

from ops.cli import main
from tests.fakes.ops import captured_world, remarked, shown
from tests.fakes.ops_stage import audit_records, client, deploy

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def stage(state_dir: Path, aws: None) -> Path:  # after moto
    outputs = deploy(state_dir)
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "")
    client("lambda").create_function(
        FunctionName="haylift-local-ingestion",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    for lane in ("Interactive", "Backfill"):
        url = outputs[f"{lane}QueueUrl"]
        asked = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        client("lambda").create_event_source_mapping(
            FunctionName="haylift-local-ingestion", EventSourceArn=asked["Attributes"]["QueueArn"]
        )
    return state_dir


def _run(state_dir: Path, *command: str) -> tuple[int, dict[str, Any], str]:
    world = captured_world()
    code = main([*command, "--state-dir", str(state_dir), "--json"], world)
    out = shown(world)
    return code, json.loads(out) if out else {}, remarked(world)


def _states(document: dict[str, Any]) -> dict[str, str]:
    return {row["lane"]: row["state"] for row in document["lanes"]}


def _gate_closes(*lanes: Lane) -> DynamoDbLaneHolds:
    store = DynamoDbLaneHolds("tenants", client("dynamodb"))
    for lane in lanes:
        store.add(lane, Holder.GATE)
    return store


def test_a_pause_needs_a_yes(stage: Path) -> None:
    code, told, _ = _run(stage, "ingest", "pause", "--lane", "backfill")

    assert code == 2
    assert "ingest pause --lane backfill --yes" in json.dumps(told)
    assert audit_records() == []


def test_one_lane_is_paused_and_resumed_and_audited(stage: Path) -> None:
    paused = _run(stage, "ingest", "pause", "--lane", "backfill", "--yes")
    resumed = _run(stage, "ingest", "resume", "--lane", "backfill")

    assert (paused[0], resumed[0]) == (0, 0)
    assert _states(paused[1]) == {"interactive": "Enabled", "backfill": "Disabled"}
    assert _states(resumed[1]) == {"interactive": "Enabled", "backfill": "Enabled"}
    assert sorted(record["action"] for record in audit_records()) == ["ingest.pause", "ingest.resume"]


def test_resuming_leaves_to_the_gate_what_it_holds(stage: Path) -> None:
    _run(stage, "ingest", "pause", "--yes")
    _gate_closes(Lane.INTERACTIVE, Lane.BACKFILL)

    code, document, _ = _run(stage, "ingest", "resume")

    assert code == 3
    assert _states(document) == {"interactive": "Disabled", "backfill": "Disabled"}
    assert [row["closed_by_gate"] for row in document["lanes"]] == [True, True]
    assert [row["paused_by_operator"] for row in document["lanes"]] == [False, False]


def test_the_flag_pauses_in_the_same_way(stage: Path) -> None:
    _run(stage, "flags", "set", "pause-ingestion", "on", "--yes")

    holds = DynamoDbLaneHolds("tenants", client("dynamodb")).read()

    assert holds.held_by(Holder.OPERATOR) == (Lane.INTERACTIVE, Lane.BACKFILL)


def test_the_gate_is_switched_off_and_on(stage: Path) -> None:
    refused = _run(stage, "ingest", "gate", "off")[0]
    off = _run(stage, "ingest", "gate", "off", "--yes")[1]["gate"]
    on = _run(stage, "ingest", "gate", "on")[1]["gate"]

    assert (refused, off, on) == (2, "off", "on")
