"""What CloudWatch Logs and asynchronous invocations do, one check per patch of the emulator."""

import json
import time
from typing import Any
from uuid import uuid4

from tests.integration.local.running_emulator import Check, RunningEmulator, eventually

PROBE = "conformance-probe"
REFUSER = "conformance-refuser"
FOLLOWER_LOG = "/aws/lambda/conformance-follower"


def write(system: RunningEmulator, group: str, *messages: str) -> None:
    """Write messages to a group, which is made when it is not there."""
    logs = system.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="a")
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms + index, "message": text} for index, text in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName="a", logEvents=events)


def log_patterns(system: RunningEmulator) -> None:
    """ "Filter pattern syntax": JSON and text patterns find what they say, page by page."""
    group = f"/conformance/{uuid4().hex}"
    records = [
        json.dumps({"audit": {"action": name}, "errorType": kind}) for name, kind in (("a", "-"), ("b", "X"))
    ]
    write(system, group, *records, "plain ERROR one", "plain ERROR two", "plain WARN")

    def found(pattern: str, **request: Any) -> list[str]:
        pages = (
            system.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, filterPattern=pattern, **request)
        )
        return [event["message"] for page in pages for event in page["events"]]

    assert found("{ $.audit.action = * }", PaginationConfig={"PageSize": 1}) == records
    assert found('{ $.errorType != "-" && $.audit.action = "b*" }') == [records[1]]
    assert found("plain -ERROR") == ["plain WARN"]
    assert found('"ERROR t"') == ["plain ERROR two"]
    assert found("?WARN ?two") == ["plain ERROR two", "plain WARN"]


def log_subscriptions(system: RunningEmulator) -> None:
    """ "Subscriptions": matching lines reach the alias that the filter names, again when it failed."""
    logs, group = system.client("logs"), f"/conformance/{uuid4().hex}"
    write(system, group, "before")
    function = system.client("lambda").get_function_configuration(FunctionName="conformance-follower")[
        "FunctionArn"
    ]
    logs.put_subscription_filter(
        logGroupName=group, filterName="audit", filterPattern="{ $.audit.action = * }",
        destinationArn=f"{function}:live",
    )  # fmt: skip
    record = json.dumps({"audit": {"action": "login"}})

    write(system, group, "something else", record, "audit action")

    def followed() -> list[dict[str, Any]]:
        if not logs.describe_log_groups(logGroupNamePrefix=FOLLOWER_LOG)["logGroups"]:
            return []
        found = logs.filter_log_events(logGroupName=FOLLOWER_LOG, filterPattern="followed")["events"]
        said = [json.loads(event["message"].partition("followed ")[2]) for event in found]
        return [each for each in said if each["group"] == group]

    eventually(followed, "the followed line, after one failure", 10)
    assert [each["messages"] for each in followed()] == [[record]]
    assert followed()[0]["arn"] == f"{function}:live"
    assert followed()[0]["filters"] == ["audit"]


def async_destination(system: RunningEmulator) -> None:
    """ "Configuring destinations": what an alias gives up, after its own number of tries, is kept whole."""
    text = uuid4().hex
    event = {"do": "raise", "text": text}

    system.client("lambda").invoke(
        FunctionName=REFUSER, Qualifier="live", InvocationType="Event", Payload=json.dumps(event).encode()
    )

    record = system.received("GivenUpName", 8)
    tries = {"logGroupName": f"/aws/lambda/{REFUSER}", "filterPattern": '"a detail of the inside" -error'}
    assert record["requestPayload"] == event
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorMessage"] == "a detail of the inside"
    assert len(system.client("logs").filter_log_events(**tries)["events"]) == 2


def lambda_async(system: RunningEmulator) -> None:
    """An event for a function that may not run waits, and is done when it may again."""
    lambdas, text = system.client("lambda"), uuid4().hex
    system.invoke(PROBE, {})
    event = json.dumps({"do": "print", "text": text}).encode()

    def printed() -> bool:
        request = {"logGroupName": f"/aws/lambda/{PROBE}", "filterPattern": f'"{text}"'}
        return bool(system.client("logs").filter_log_events(**request)["events"])

    with system.throttled(PROBE):
        lambdas.invoke(FunctionName=PROBE, InvocationType="Event", Payload=event)
        waits = system.stays(lambda: not printed(), 4)
    eventually(printed, "the event that waited", 6)
    assert waits
    async_destination(system)


def log_memory(system: RunningEmulator) -> None:
    """A stream keeps its newest lines, of a function that prints without end."""
    marker = uuid4().hex
    system.invoke(PROBE, {"do": "print", "text": "\n".join(f"{marker} {number}" for number in range(11_500))})

    pages = (
        system.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{PROBE}", filterPattern=marker)
    )
    found = [event["message"] for page in pages for event in page["events"]]

    assert f"{marker} 11499" in found
    assert 9_000 <= len(found) <= 11_000


CHECKS_OF_LOGS: dict[str, Check] = {
    "log-patterns": log_patterns,
    "log-subscriptions": log_subscriptions,
    "log-memory": log_memory,
    "lambda-async": lambda_async,
}
