"""`ops status` as a whole: moto's services, an API by hand, and sources that do not answer."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from haylift.telemetry import NAMESPACE

from ops.cli import main
from ops.gathering import gather
from ops.session import World
from tests.fakes.ops import HandClock, captured_world, shown, write_outputs
from tests.fakes.ops_stage import client, deploy, set_state

NOW_S = 1_800_000_030.0
PATIENCE_S = 60.0
"""moto imports a service when it is first asked: on a busy machine longer than the screen waits."""

PARTS = ("index", "tables", "cache", "model_endpoint")
SECTIONS = {
    "verdict", "stage", "at", "minutes", "causes", "gateway", "routes", "freshness", "model_endpoint",
    "dependencies", "health", "queues", "backlog", "functions", "alarms", "flags", "paused", "heartbeat_rule",
    "signing_key", "last_deploy", "unanswered",
}  # fmt: skip


def put_metric(name: str, value: float, **dimensions: str) -> None:
    """One value, a minute ago."""
    sorted_dimensions = [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())]
    at = datetime.fromtimestamp(NOW_S - 60, UTC)
    datum = {"MetricName": name, "Dimensions": sorted_dimensions, "Timestamp": at, "Value": value}
    client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


@pytest.fixture
def stage(state_dir: Path, aws: None) -> dict[str, str]:  # after moto
    """A healthy stage whose heart beats; moto's ledger has no index of open documents, so it gets one."""
    client("dynamodb").update_table(
        TableName="ledger",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "document_id", "open_tenant")
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "open_documents",
                    "KeySchema": [{"AttributeName": "open_tenant", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    put_metric("heartbeat_searches", 1, outcome="ok")
    return deploy(state_dir)


def _api(request: httpx.Request, broken: str = "") -> httpx.Response:
    if request.url.path.endswith("/login"):
        return httpx.Response(200, json={"access_token": "admin-token", "expires_in": 900})
    parts: dict[str, dict[str, Any]] = {
        name: {"status": "healthy", "duration_ms": 3.0, "code": None} for name in PARTS
    }
    if broken:
        parts[broken] = {"status": "unhealthy", "duration_ms": 9.0, "code": f"{broken}_unavailable"}
    body = {"status": "degraded" if broken else "healthy", "dependencies": parts}
    return httpx.Response(200, json=body)


def _world(broken: str = "", on_sleep: Callable[[], None] = lambda: None) -> World:
    clock = HandClock(on_sleep)
    clock.time_s = NOW_S
    transport = httpx.MockTransport(lambda request: _api(request, broken))
    return replace(captured_world(transport=transport, clock=clock), sources_s=PATIENCE_S)


def _status(state_dir: Path, world: World, *more: str) -> int:
    return main(["status", *more, "--state-dir", str(state_dir)], world)


def unseen(lines: list[str]) -> list[str]:
    """The sources that were not seen; moto's CloudFormation needs packages that are not installed."""
    return [line.split()[2].rstrip(":") for line in lines if line.startswith("NOT SEEN")]


@pytest.mark.usefixtures("stage")
def test_a_healthy_stage(state_dir: Path) -> None:
    world = _world()

    exit_code = _status(state_dir, world)

    lines = shown(world).splitlines()
    assert (exit_code, lines[0]) == (0, "Everything works")
    assert "alarms        none of 1 rings" in lines
    assert "flags         keyword-only off, shed-load off" in lines
    assert set(unseen(lines)) <= {"deploy"}


@pytest.mark.usefixtures("stage")
def test_the_document_has_every_section(state_dir: Path) -> None:
    world = _world()
    put_metric("request_failures", 0, endpoint="/v1/search")

    assert _status(state_dir, world, "--json") == 0

    document = json.loads(shown(world))
    assert document.keys() == SECTIONS
    assert document["routes"] == [
        {"endpoint": "/v1/search", "requests": 1, "failures": 0, "error_ratio": 0.0, "p95_s": None}
    ]
    assert document["at"] == "2027-01-15T08:00:30Z"
    assert document["unanswered"].keys() <= {"deploy"}


@pytest.mark.usefixtures("stage")
def test_a_fault_comes_first_and_exits_with_3(state_dir: Path) -> None:
    world = _world("cache")
    set_state("model-endpoint-failing", "ALARM", "a test")

    exit_code = _status(state_dir, world)

    lines = shown(world).splitlines()
    assert exit_code == 3
    assert lines[0] == (
        "Answers come slower, repeated ones too: the shared cache does not answer; "
        "runbook docs/runbooks/cache-unhealthy.md"
    )
    assert lines[2] == "1. cache-unavailable (degraded)"
    assert f"   > python -m ops --state-dir {state_dir} logs search --minutes 5 --filter cache" in lines
    assert [
        line for line in lines if line.startswith("ALARM         haylift-local-model-endpoint-failing  PAGE")
    ]


def test_a_disabled_key_is_named_although_nobody_can_log_in(state_dir: Path, stage: dict[str, str]) -> None:
    world = _world()
    client("kms").disable_key(KeyId=stage["SigningKeyId"])

    assert _status(state_dir, world) == 3

    assert shown(world).splitlines()[0] == (
        "Nobody can log in or renew a login; tokens that are out end within 15 minutes: "
        "KMS says that the signing key is Disabled; "
        "runbook docs/runbooks/api-errors.md"
    )


def test_a_flood_of_one_tenant_is_named(state_dir: Path, stage: dict[str, str]) -> None:
    for number in range(120):
        client("sqs").send_message(QueueUrl=stage["BackfillQueueUrl"], MessageBody="x")
        row = {"tenant": "acme", "document_id": str(number), "open_tenant": "acme"}
        client("dynamodb").put_item(
            TableName="ledger", Item={name: {"S": text} for name, text in row.items()}
        )
    world = _world()

    assert _status(state_dir, world) == 0

    assert shown(world).splitlines()[0] == (
        "Everything works; searches work, uploads become searchable late: 120 documents wait, "
        "the oldest for 0 s, 120 of 120 of tenant acme"
    )


def test_a_source_that_does_not_answer_hides_nothing_else(state_dir: Path, stage: dict[str, str]) -> None:
    file = state_dir / "outputs.json"
    outputs = json.loads(file.read_text(encoding="utf-8"))["outputs"]
    write_outputs(state_dir, outputs={key: text for key, text in outputs.items() if key != "SigningKeyId"})
    world = _world("cache")

    assert _status(state_dir, world) == 3

    lines = shown(world).splitlines()
    assert lines[0].startswith("Answers come slower")
    assert stage["SigningKeyId"]
    assert [line for line in lines if line.startswith("NOT SEEN      signing_key: output_missing")]


def test_a_source_that_hangs_is_named_after_the_limit() -> None:
    never = threading.Event()

    found = gather({"quick": lambda: 7, "hanging": never.wait}, limit_s=0.05)
    never.set()

    assert found.answers == {"quick": 7}
    assert found.faults == {"hanging": "no answer within 0.05 s"}


def _refuse(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.usefixtures("stage")
def test_an_api_that_does_not_answer_is_a_fault(state_dir: Path) -> None:
    clock = HandClock()
    clock.time_s = NOW_S
    world = replace(captured_world(transport=httpx.MockTransport(_refuse), clock=clock), sources_s=PATIENCE_S)

    assert _status(state_dir, world) == 3

    assert shown(world).startswith("Users wait or get errors: GET /health gave no answer (api_unreachable: ")


def test_without_any_answer_nobody_can_tell(state_dir: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    write_outputs(state_dir, aws_endpoint_url=address, api_url=address)
    world = captured_world(transport=httpx.MockTransport(_refuse))

    assert _status(state_dir, world) == 1

    assert shown(world).startswith("Cannot say how users fare: no answer from metrics, health (")


@pytest.mark.usefixtures("stage")
def test_watching_looks_again_until_it_is_ended(state_dir: Path) -> None:
    sleeps = iter((None, None, KeyboardInterrupt()))

    def on_sleep() -> None:
        if (end := next(sleeps)) is not None:
            raise end

    world = _world("cache", on_sleep)

    assert _status(state_dir, world, "--watch", "10") == 3
    assert shown(world).count("1. cache-unavailable (degraded)") == 3


@pytest.mark.parametrize("option", [("--minutes", "0"), ("--minutes", "181"), ("--watch", "1")])
def test_wrong_numbers_are_asked_wrongly(state_dir: Path, option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _status(state_dir, _world(), *option)

    assert caught.value.code == 2
