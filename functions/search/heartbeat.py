"""Tells the clock's events from API Gateway's."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from haylift.services.heartbeat import HeartbeatService

from functions.search.contract import HEARTBEAT

type Entry = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def with_heartbeat(answer: Entry, heartbeat: HeartbeatService) -> Entry:
    """The entry of both: a beat for the clock (`HEARTBEAT.source`), `answer` for everything else."""

    def entry(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        if event.get("source") == HEARTBEAT.source:
            return asdict(heartbeat.beat())
        return answer(event, context)

    return entry
