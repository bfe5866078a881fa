"""What requests leave in CloudWatch Logs, written by hand."""

import json
import time
from pathlib import Path

import boto3

from ops.cli import main
from ops.session import World
from tests.fakes.ops import HandClock, captured_world

ACCESS = "/aws/apigateway/haylift-local-api"
NOW_S = float(int(time.time()))
"""The machine's: CloudWatch Logs refuses lines that are older than 14 days."""

ID = "request-1"


def group_of(function: str) -> str:
    return f"/aws/lambda/haylift-local-{function}"


def put(group: str, *lines: str, ago_s: float = 5.0) -> None:
    """Writes the lines into a new stream of the group."""
    client = boto3.client("logs", region_name="eu-central-1")
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        client.create_log_group(logGroupName=group)
    stream = f"{ago_s}-{hash(lines)}"
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    at_ms = int((NOW_S - ago_s) * 1_000)
    events = [{"timestamp": at_ms + place, "message": text} for place, text in enumerate(lines)]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def access_line(**changes: object) -> str:
    """A line as the gateway writes it, of a search that went well."""
    line = {
        "requestId": ID,
        "requestTime": "23/Nov/2026:16:00:00 +0000",
        "httpMethod": "POST",
        "resourcePath": "/v1/search",
        "status": "200",
        "ip": "127.0.0.1",
        "responseLatency": "120",
        "integrationLatency": "100",
        "integrationStatus": "200",
        "authorizerLatency": "15",
        "authorizerStatus": "200",
        "principal": "reader@acme",
        "tenant": "acme",
        "errorType": "-",
    }
    return json.dumps(line | changes)


def refused_line(status: int, kind: str, **changes: object) -> str:
    """A line of a request that the gateway answered itself."""
    nothing = {"integrationLatency": "-", "integrationStatus": "-", "principal": "-", "tenant": "-"}
    return access_line(**{**nothing, "status": str(status), "errorType": kind, **changes})


def hop_line(
    hop: str, *, started_at: float = NOW_S, depth: int = 0, outcome: str = "ok", **facts: object
) -> str:
    """A line as `haylift.tracing` writes it."""
    line = {"level": "INFO", "message": "hop", "hop": hop, "started_at": started_at, "duration_ms": 4.0}
    return json.dumps(line | {"depth": depth, "outcome": outcome, "facts": facts, "request_id": ID})


def trace(state_dir: Path, *arguments: str, clock: HandClock | None = None) -> tuple[int, World]:
    clock = clock or HandClock()
    clock.time_s = NOW_S
    world = captured_world(clock=clock)
    return main(["trace", *arguments, "--state-dir", str(state_dir)], world), world
