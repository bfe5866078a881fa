"""Says whether the system works, by really asking each of its parts."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeoutError
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from haylift.domain.errors import MODEL_SLEEPING, DeadlineExceeded, HayliftError, ModelUnavailable
from haylift.ports import Embedder
from haylift.resilience import Deadline
from haylift.tracing import CRASHED, Hop, annotate, fail, hop

KEPT_S = 2.0
"""Answers are kept so long: the route is open to everybody and must not become a way to load the parts."""

PARTLY_UNAVAILABLE = "partly_unavailable"
"""Code of a part that answers some and not others."""

LIMIT_BY_RESOURCE = {"cpu": 90.0, "memory": 85.0, "disk": 90.0}
"""Percent in use from which a check warns; the guides' numbers."""

logger = logging.getLogger("haylift.health")


class Status(StrEnum):
    """How a part, or the whole, is. A sleeping model is healthy: it wakes when asked.

    A degraded part answers some and not others.
    """

    HEALTHY = "healthy"
    SLEEPING = "sleeping"
    WARNING = "warning"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A part of the system and how to ask it.

    Args:
        ask: a cheap, real request; raises HayliftError, or gives `sleeping` or `degraded`.
        timeout_s: how long the part may take.
        is_essential: True when nothing can be answered without it.
        hop: what the question is in the trace of a request.
        shown_as: names of the guides under which admins see it.
    """

    name: str
    ask: Callable[[], Status | None]
    timeout_s: float
    is_essential: bool
    shown_as: tuple[str, ...] = ()
    hop: Hop = Hop.TABLES


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a part answered; `code` names its fault. Durations in milliseconds."""

    status: Status
    duration_ms: float
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """The state of the system. `uptime_s` is this process's."""

    status: Status
    moment: datetime
    uptime_s: float
    findings_by_name: Mapping[str, Finding]
    findings_by_guide_name: Mapping[str, Finding]
    used_percent_by_resource: Mapping[str, float] = field(default_factory=dict)


class HealthService:
    """Asks all parts at once, each with its own time-out.

    Args:
        resources: percent in use by name (`cpu`, `memory`, `disk`) of the machine under this process.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        probes: tuple[Probe, ...],
        *,
        resources: Callable[[], Mapping[str, float]] = dict,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._probes = probes
        self._resources = resources
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._started_at = monotonic()
        self._lock = threading.Lock()
        self._kept_by_name: dict[str, tuple[float, Finding]] = {}

    def report(self) -> HealthReport:
        """The state of every part: unhealthy without an essential one, degraded without another."""
        findings = self._ask(self._probes)
        guide_names = {shown: findings[probe.name] for probe in self._probes for shown in probe.shown_as}
        return HealthReport(
            status=self._overall(findings),
            moment=datetime.fromtimestamp(self._wall_clock(), UTC),
            uptime_s=self._monotonic() - self._started_at,
            findings_by_name=findings,
            findings_by_guide_name=guide_names,
            used_percent_by_resource=self._resources(),
        )

    def unready_reason(self) -> str | None:
        """The essential parts that do not answer, as one text; None when requests can be answered."""
        findings = self._ask(tuple(probe for probe in self._probes if probe.is_essential))
        missing = [name for name, one in findings.items() if one.status is Status.UNHEALTHY]
        return f"no answer from: {', '.join(missing)}" if missing else None

    def _overall(self, findings: Mapping[str, Finding]) -> Status:
        down = [probe for probe in self._probes if findings[probe.name].status is Status.UNHEALTHY]
        if any(probe.is_essential for probe in down):
            return Status.UNHEALTHY
        is_degraded = down or any(finding.status is Status.DEGRADED for finding in findings.values())
        return Status.DEGRADED if is_degraded else Status.HEALTHY

    def _ask(self, probes: tuple[Probe, ...]) -> dict[str, Finding]:
        with self._lock:
            due = [probe for probe in probes if not self._is_kept(probe.name)]
            if due:
                self._ask_now(due)
            findings = {probe.name: self._kept_by_name[probe.name][1] for probe in probes}
        _note_missing(probes, findings)
        return findings

    def _is_kept(self, name: str) -> bool:
        kept = self._kept_by_name.get(name)
        return kept is not None and self._monotonic() - kept[0] < KEPT_S

    def _ask_now(self, due: list[Probe]) -> None:
        started = self._monotonic()
        pool = ThreadPoolExecutor(max_workers=len(due), thread_name_prefix="health")
        try:
            # A context of its own for each thread, so that its lines carry the request's id.
            answers = [(probe, pool.submit(copy_context().run, self._finding, probe)) for probe in due]
            for probe, answer in answers:
                finding = self._awaited(answer, probe, started)
                self._kept_by_name[probe.name] = (self._monotonic(), finding)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _awaited(self, answer: "Future[Finding]", probe: Probe, started: float) -> Finding:
        left_s = max(0.0, probe.timeout_s - (self._monotonic() - started))
        try:
            return answer.result(timeout=left_s)
        except WaitTimeoutError:
            return Finding(status=Status.UNHEALTHY, duration_ms=probe.timeout_s * 1_000, code="timeout")

    def _finding(self, probe: Probe) -> Finding:
        started = self._monotonic()
        status, code = Status.HEALTHY, None
        try:
            with hop(probe.hop, probe=probe.name):
                status = probe.ask() or Status.HEALTHY
            code = PARTLY_UNAVAILABLE if status is Status.DEGRADED else None
        except DeadlineExceeded:
            status, code = Status.UNHEALTHY, "timeout"
        except HayliftError as fault:
            status, code = Status.UNHEALTHY, fault.code
        except Exception:  # outermost for a probe: a part that fails in an unknown way is unhealthy too
            logger.exception("health probe crashed", extra={"probe": probe.name})
            status, code = Status.UNHEALTHY, "internal_error"
        return Finding(status=status, duration_ms=(self._monotonic() - started) * 1_000, code=code)


def _note_missing(probes: tuple[Probe, ...], findings: Mapping[str, Finding]) -> None:
    """Gives the request's hop the code of the first essential part that is missing, also a kept answer's."""
    for probe in probes:
        finding = findings[probe.name]
        if probe.is_essential and finding.status is Status.UNHEALTHY:
            annotate(missing=probe.name)
            fail(f"{probe.name}_unavailable" if finding.code == "timeout" else finding.code or CRASHED)
            return


def model_status(embedder: Embedder, patience_s: float) -> Status | None:
    """Asks for the vector of one word; `sleeping` when the endpoint says so.

    Side effect: an endpoint that could sleep stays awake; there is no way to ask without (decision 0035).

    Raises:
        ModelUnavailable, DeadlineExceeded: the endpoint does not answer in `patience_s` seconds.
    """
    try:
        embedder.embed_query("health", Deadline.after(patience_s))
    except ModelUnavailable as fault:
        if fault.code == MODEL_SLEEPING:
            return Status.SLEEPING
        raise
    return None


def resource_status(name: str, used_percent: float) -> Status:
    """A warning from the resource's limit on.

    >>> resource_status("memory", 85.0), resource_status("cpu", 85.0)
    (<Status.WARNING: 'warning'>, <Status.HEALTHY: 'healthy'>)
    """
    return Status.WARNING if used_percent >= LIMIT_BY_RESOURCE[name] else Status.HEALTHY
