"""A search every minute, by the system itself: what users would feel, known also when there are none."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from haylift.domain.errors import HayliftError
from haylift.domain.identity import Scope
from haylift.domain.search import SearchMode, SearchRequest
from haylift.ports import QueryPipeline, TenantCount, TenantCounts, Tenants
from haylift.resilience import Deadline
from haylift.services.health import HealthService, Status
from haylift.telemetry import Metric, Telemetry, request_id
from haylift.tracing import Hop, hop

QUESTION = "What does the handbook say about heartbeats?"
"""The same each time, so that its duration can be compared."""

NOBODY = "heartbeat"
"""Searched while no tenant has documents: an index that is empty, or not there, still has to be asked."""

PATIENCE_S = 10.0
ROTATION_S = 60.0
"""One tenant a minute: any process knows whose turn it is without asking another."""

logger = logging.getLogger("haylift.heartbeat")


class BeatOutcome(StrEnum):
    """How a beat ended. `OVERLAPPED`: the one before is not over, and this one did nothing."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    OVERLAPPED = "overlapped"


class WatchedTenants(Tenants, TenantCounts, Protocol):
    """The tenants, one by one and all at once."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """What a beat found; `request_id` leads to its log lines, `code` says why it is not `ok`."""

    outcome: BeatOutcome
    request_id: str = ""
    code: str = ""


class HeartbeatService:
    """Searches, asks every part, and counts the documents.

    Costs of a beat: one embedding, one search, the health probes, and a scan of the tenants' table.

    Args:
        pipeline: the one behind users' searches; caches are in front of it and are passed by.
        monotonic, wall_clock: seconds, and epoch seconds.
    """

    def __init__(
        self,
        pipeline: QueryPipeline,
        tenants: WatchedTenants,
        health: HealthService,
        telemetry: Telemetry,
        *,
        monotonic: Callable[[], float] = time.perf_counter,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._pipeline = pipeline
        self._tenants = tenants
        self._health = health
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._under_way = threading.Lock()

    def beat(self) -> Beat:
        """One beat; never raises.

        Side effects: `heartbeat_searches`, `heartbeat_duration_seconds`, `dependency_healthy` for each part
        and `haystack_documents_total`. A value that could not be found out is not recorded.
        """
        if not self._under_way.acquire(blocking=False):
            logger.warning("heartbeat overlaps the one before")
            return Beat(outcome=BeatOutcome.OVERLAPPED)
        beat_id = f"{NOBODY}-{uuid.uuid4().hex}"
        token = request_id.set(beat_id)
        try:
            with hop(Hop.FUNCTION, endpoint=NOBODY) as note:
                outcome, code = self._beat()
                note.outcome = code or note.outcome
        finally:
            request_id.reset(token)
            self._under_way.release()
        return Beat(outcome=outcome, request_id=beat_id, code=code)

    def _beat(self) -> tuple[BeatOutcome, str]:
        counts = self._guarded(self._tenants.counts)
        started = self._monotonic()
        outcome, code = self._searched(counts or ())
        self._telemetry.record(Metric.HEARTBEATS, 1, outcome=outcome.value)
        self._telemetry.record(Metric.HEARTBEAT_DURATION, self._monotonic() - started)
        self._guarded(self._record_parts)
        if counts is not None:
            self._telemetry.record(Metric.DOCUMENTS_STORED, sum(count.documents for count in counts))
        return outcome, code

    def _searched(self, counts: tuple[TenantCount, ...]) -> tuple[BeatOutcome, str]:
        try:
            tenant, generation = self._turn(counts)
            request = SearchRequest(query=QUESTION, mode=SearchMode.HYBRID, top_k=1)
            scope = Scope(tenant=tenant, groups=frozenset())
            found = self._pipeline.run(request, scope, generation, Deadline.after(PATIENCE_S))
        except HayliftError as fault:
            logger.warning("heartbeat failed", extra={"code": fault.code})
            return BeatOutcome.FAILED, fault.code
        except Exception:  # the outermost loop of a beat: whatever it was, the beat answers
            logger.exception("heartbeat crashed")
            return BeatOutcome.FAILED, HayliftError.code
        if found.degraded is not None:
            return BeatOutcome.DEGRADED, found.degraded
        return BeatOutcome.OK, ""

    def _turn(self, counts: tuple[TenantCount, ...]) -> tuple[str, str]:
        """Whose turn it is: tenant and generation of its index."""
        filled = [count for count in counts if count.documents]
        if not filled:
            return NOBODY, self._tenants.epoch(NOBODY).generation
        count = filled[int(self._wall_clock() // ROTATION_S) % len(filled)]
        return count.tenant, count.generation

    def _record_parts(self) -> None:
        for name, finding in self._health.report().findings_by_name.items():
            is_well = finding.status not in {Status.UNHEALTHY, Status.DEGRADED}
            self._telemetry.record(Metric.DEPENDENCY_HEALTHY, int(is_well), dependency=name)

    def _guarded[T](self, ask: Callable[[], T]) -> T | None:
        """The answer; None, with a line in the log, when there is none."""
        try:
            return ask()
        except HayliftError as fault:
            logger.warning("heartbeat goes on without a part", extra={"code": fault.code})
        except Exception:  # the outermost loop of a beat
            logger.exception("heartbeat goes on without a part")
        return None
