"""Patches `log-patterns`, `log-subscriptions` and `log-memory`: log groups searched, followed, bounded.

ministack takes a JSON pattern for one that matches everything, gives no pages, and delivers each line to a
follower in a thread of its own, to $LATEST, once. Sources: "FilterLogEvents", "Real-time processing of log
data with subscriptions": lines are sent in batches, and a function that is throttled gets them later.
"""

import base64
import gzip
import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any
from uuid import uuid4

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import cloudwatch_logs, lambda_svc

from local.emulator.log_patterns import PatternFault, compiled
from local.emulator.patching import Needs, Patch, Replacement

NEEDS = [
    Needs("ministack.services.cloudwatch_logs", (
        "_log_groups", "_log_events_lock", "_filter_log_events", "_put_subscription_filter",
        "_fanout_to_subscription_filters", "_resolve_log_group_name", "_append_log_events",
    )),
    Needs("ministack.services.lambda_svc", (
        "_get_func_record_for_ref_in_scope", "_execution_record_for_config", "invoke_async_with_retry",
    )),
]  # fmt: skip
MAX_FOUND = 10_000
# About 10 MB; a stream is that of one process, or of one day of access log.
MAX_LINES = 10_000
# CloudWatch Logs batches for longer; what is here is short enough not to be noticed.
GATHER_S, MAX_BATCH = 0.2, 1000
_log = logging.getLogger("haylift.emulator.logs")


class Limit:
    """How many lines a stream keeps."""

    lines = sys.maxsize


LIMIT = Limit()


def memory_patch() -> Patch:
    """Keep the newest lines of each stream; CloudWatch drops lines by age alone."""
    return Patch(
        "log-memory",
        "ministack keeps every line for ever in memory",
        [Replacement(LIMIT, "lines", MAX_LINES)],
    )


def new_stream(now_ms: int) -> dict[str, Any]:
    """The record of an empty log stream."""
    return {
        "events": [], "uploadSequenceToken": "1", "creationTime": now_ms,
        "firstEventTimestamp": None, "lastEventTimestamp": None, "lastIngestionTime": None,
    }  # fmt: skip


def append(group: str, stream: str, message: str) -> None:
    """Write one event to a stream of a group that exists; nothing happens when it does not."""
    record = cloudwatch_logs._log_groups.get(group)
    if record is None:
        return
    now_ms = int(time.time() * 1000)
    found = record["streams"].setdefault(stream, new_stream(now_ms))
    event = {"timestamp": now_ms, "message": message, "ingestionTime": now_ms}
    cloudwatch_logs._append_log_events(found, [event])
    if len(found["events"]) > LIMIT.lines * 1.1:
        with cloudwatch_logs._log_events_lock:
            del found["events"][: -LIMIT.lines]
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, [event])


def _events(group: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of the wanted streams and times, in the order of time."""
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix") or ""
    start, end = request.get("startTime") or 0, request.get("endTime") or float("inf")
    with cloudwatch_logs._log_events_lock:
        streams = [
            [(event["timestamp"], event.get("ingestionTime", 0), name, number, event)
             for number, event in enumerate(stream["events"]) if start <= event["timestamp"] <= end]
            for name, stream in group["streams"].items()
            if (name in names if names else name.startswith(prefix))
        ]  # fmt: skip
    for at, ingested, name, number, event in merge(*streams, key=lambda entry: entry[:4]):
        identity = event.get("eventId") or f"{at:020d}{number:08d}{abs(hash(name)) % 10**8:08d}"
        yield {
            "timestamp": at, "ingestionTime": ingested, "message": event["message"], "logStreamName": name,
            "eventId": identity,
        }  # fmt: skip


def filter_log_events(request: dict[str, Any]) -> Any:
    """The answer of FilterLogEvents; the token of the next page says how many matches came before."""
    name = cloudwatch_logs._resolve_log_group_name(request)
    group = cloudwatch_logs._log_groups.get(name)
    if group is None:
        text = f"The specified log group does not exist: {name}"
        return error_response_json("ResourceNotFoundException", text, 400)
    try:
        test = compiled(request.get("filterPattern") or "")
        skip = int(request.get("nextToken") or 0)
    except ValueError as error:
        return error_response_json("InvalidParameterException", str(error), 400)
    limit = min(int(request.get("limit") or MAX_FOUND), MAX_FOUND)
    matching = (event for event in _events(group, request) if test(event["message"]))
    found = list(islice(matching, skip, skip + limit + 1))
    answer = {"events": found[:limit], "searchedLogStreams": []}
    return json_response({**answer, "nextToken": str(skip + limit)} if len(found) > limit else answer)


def patterns_patch() -> Patch:
    """Search by documented patterns, page by page; refuse a pattern that is none."""
    put = cloudwatch_logs._put_subscription_filter

    def put_filter(request: dict[str, Any]) -> Any:
        try:
            compiled(request.get("filterPattern") or "")
        except PatternFault as error:
            return error_response_json("InvalidParameterException", str(error), 400)
        return put(request)

    return Patch(
        "log-patterns",
        "ministack takes JSON patterns for ones that match everything, and gives no pages",
        [
            Replacement(cloudwatch_logs, "_filter_log_events", filter_log_events),
            Replacement(cloudwatch_logs, "_put_subscription_filter", put_filter),
        ],
    )


@dataclass(frozen=True)
class Delivery:
    """One line on its way to one follower."""

    account: str
    region: str
    group: str
    stream: str
    filter_name: str
    destination: str
    event: dict[str, Any]

    @property
    def address(self) -> tuple[str, ...]:
        """Lines of one address travel together."""
        return self.account, self.region, self.group, self.stream, self.filter_name, self.destination


_DUE: "queue.SimpleQueue[Delivery]" = queue.SimpleQueue()


def awslogs_event(batch: list[Delivery]) -> dict[str, Any]:
    """What a function receives for lines of one address."""
    first = batch[0]
    payload = {
        "messageType": "DATA_MESSAGE", "owner": first.account, "logGroup": first.group,
        "logStream": first.stream, "subscriptionFilters": [first.filter_name],
        "logEvents": [
            {"id": uuid4().hex, "timestamp": each.event["timestamp"], "message": each.event["message"]}
            for each in batch
        ],
    }  # fmt: skip
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def _deliver(batch: list[Delivery]) -> None:
    first = batch[0]
    function, config, name = lambda_svc._get_func_record_for_ref_in_scope(
        first.destination, account_id=first.account, region=first.region
    )
    if function is None or config is None:
        _log.warning("no function %s for subscription filter %s", name, first.filter_name)
        return
    record = lambda_svc._execution_record_for_config(function, config)
    lambda_svc.invoke_async_with_retry(record, awslogs_event(batch))


def _deliver_due() -> None:
    gathered: dict[tuple[str, ...], list[Delivery]] = {}
    number, due = 1, _DUE.get()
    end = time.monotonic() + GATHER_S
    gathered[due.address] = [due]
    while number < MAX_BATCH and (left := end - time.monotonic()) > 0:
        try:
            due = _DUE.get(timeout=left)
        except queue.Empty:
            break
        gathered.setdefault(due.address, []).append(due)
        number += 1
    for batch in gathered.values():
        _deliver(batch)


def start_deliveries() -> None:
    """Deliver in a thread of its own, as long as the emulator runs."""

    def run() -> None:
        while True:
            try:
                _deliver_due()
            except Exception:
                _log.exception("delivery of log lines failed")

    threading.Thread(target=run, name="log-deliveries", daemon=True).start()


def follow(group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Send the matching lines of a stream to those who follow its group."""
    record = cloudwatch_logs._log_groups.get(group) or {}
    for each in list((record.get("subscriptionFilters") or {}).values()):
        destination = str(each.get("destinationArn") or "")
        function = destination.partition(":function:")[2].partition(":")[0]
        # A function that follows its own log would call itself for ever.
        if not function or group == f"/aws/lambda/{function}":
            continue
        test = compiled(each.get("filterPattern") or "")
        scope = get_account_id(), get_region()
        for event in events:
            if test(event["message"]):
                _DUE.put(Delivery(*scope, group, stream, str(each["filterName"]), destination, event))


def subscriptions_patch() -> Patch:
    """Deliver to the alias that a filter names, in batches, again after a failure."""
    return Patch(
        "log-subscriptions",
        "ministack ignores JSON patterns and aliases of subscription filters, and delivers once",
        [Replacement(cloudwatch_logs, "_fanout_to_subscription_filters", follow)],
    )
