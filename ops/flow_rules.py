"""Rules about work in motion: documents, queues, functions, switches, the heartbeat."""

from haylift.domain.documents import Lane
from haylift.domain.lanes import Holder
from haylift.telemetry import Metric

from ops.diagnosis import OPS, Cause, Severity, listed, of, window
from ops.measurements import AwsMetric
from ops.sources import MISSING
from ops.state import METRICS, Snapshot, SourceState

FLOOD_MESSAGES = 100
FLOOD_AGE_S = 300.0
DOMINANT_RATIO = 0.5
REJECTED_RATIO = 0.2
LEAST_REJECTED = 3

LANES = ("interactive", "backfill")
AUDIT = "audit"
"""The function whose deliveries nobody waits for; its letters are no uploads."""


def ingestion_paused(snapshot: Snapshot) -> Cause | None:
    """A queue feeds nobody: uploads wait until somebody switches it on again."""
    gated = _gated(snapshot)
    paused = [source for source in snapshot.sources if source.is_paused and source.queue not in gated]
    if not paused:
        return None
    names = ", ".join(source.queue for source in paused)
    return Cause(
        name="ingestion-paused",
        severity=Severity.DEGRADED,
        felt="Searches work, but uploads do not become searchable",
        because=f"ingestion is paused ({names})",
        runbook="ingestion-stuck",
        evidence=(*(_paused(source) for source in paused), _waiting(snapshot)),
        commands=(f"{OPS} flags set pause-ingestion off   # changes: takes documents again",),
    )


def lanes_gated(snapshot: Snapshot) -> Cause | None:
    """The gate keeps messages from a model endpoint that does not answer; it ends by itself."""
    gated, holds = _gated(snapshot), snapshot.lane_holds
    if holds is None or not gated:
        return None
    minutes = max(0.0, snapshot.at_s - holds.gate_since) / 60 if holds.gate_since else 0.0
    return Cause(
        name="lanes-gated",
        severity=Severity.DEGRADED,
        felt="Searches go on, uploads wait and lose nothing",
        because=f"the gate has closed {', '.join(gated)} for {minutes:.0f} min, "
        "until the model endpoint answers its question, which it asks once a minute",
        runbook="model-endpoint-failing",
        evidence=(
            *(_paused(source) for source in snapshot.sources if source.queue in gated),
            _waiting(snapshot),
        ),
        commands=(f"{OPS} logs gate --minutes 5",),
    )


def _gated(snapshot: Snapshot) -> tuple[str, ...]:
    """Lanes that nobody but the gate holds."""
    holds = snapshot.lane_holds
    return () if holds is None else tuple(lane.value for lane in Lane if holds.holders(lane) == {Holder.GATE})


def _paused(source: SourceState) -> str:
    return f"{source.queue} feeds {source.function}: {source.state}"


def functions_throttled(snapshot: Snapshot) -> Cause | None:
    """Lambda refuses invocations: the account's or the function's concurrency is used up."""
    throttles = snapshot.measurements.by("FunctionName", AwsMetric.THROTTLES)
    total = sum(throttles.values())
    if not snapshot.measurements.newest_total(AwsMetric.THROTTLES, snapshot.newest_minute_s):
        return None
    worst = next(iter(throttles)).removeprefix(f"haylift-{snapshot.stage}-")
    return Cause(
        name="functions-throttled",
        severity=Severity.DEGRADED,
        felt="Some requests fail or wait" if worst not in {"ingestion", "dispatch"} else "Uploads wait",
        because=f"{worst} was throttled {throttles[f'haylift-{snapshot.stage}-{worst}']:.0f} times "
        f"{window(snapshot)}",
        runbook="functions-throttled",
        evidence=(f"{total:.0f} throttles: {listed(throttles)}",),
        commands=(f"aws lambda get-function-concurrency --function-name haylift-{snapshot.stage}-{worst}",),
    )


def documents_rejected(snapshot: Snapshot) -> Cause | None:
    """Files that cannot be read: a few are their uploaders' matter, many are somebody's fault."""
    found = snapshot.measurements
    rejected, finished = (
        found.total(Metric.DOCUMENT_REJECTIONS),
        found.total(Metric.DOCUMENT_REJECTIONS, "SampleCount"),
    )
    reasons = found.by("reason", Metric.DOCUMENTS_REJECTED)
    rejected = max(rejected, sum(reasons.values()))
    if not rejected:
        return None
    is_many = rejected >= LEAST_REJECTED and rejected >= REJECTED_RATIO * finished
    share = of(rejected, max(finished, rejected))
    return Cause(
        name="documents-rejected",
        severity=Severity.DEGRADED if is_many else Severity.NOTICE,
        felt="Uploads are rejected",
        because=f"{share} documents {window(snapshot)} ({listed(reasons) or 'no reason given'})",
        runbook="documents-rejected",
        evidence=(f"rejected by reason: {listed(reasons) or 'not known'}",),
        commands=(
            f"{OPS} audit --minutes 15 --action document.rejected   # the tenants",
            f"{OPS} documents --state REJECTED --tenant TENANT   # paths and reasons",
        ),
    )


def dead_letters(snapshot: Snapshot) -> Cause | None:
    """Messages that failed again and again: uploads, or audit records, that nobody works on any more."""
    dead = {queue.name: float(queue.dead) for queue in snapshot.queues if queue.dead}
    if not dead:
        return None
    return Cause(
        name="dead-letters",
        severity=Severity.DEGRADED,
        felt="Some uploads are stuck for good"
        if dead.keys() - {AUDIT}
        else "Records of the audit are missing",
        because=f"dead letters: {listed(dead)}",
        runbook="dead-letters",
        evidence=tuple(
            f"haylift-{snapshot.stage}-{name}-dead holds {count:.0f}" for name, count in dead.items()
        ),
        commands=(
            *((f"{OPS} dlq list   # by cause",) if dead.keys() - {AUDIT} else ()),
            *((f"{OPS} logs ingestion --minutes 60 --filter '?ERROR'",) if dead.keys() - {AUDIT} else ()),
            *((f"{OPS} audit --redeliver",) if AUDIT in dead else ()),
        ),
    )


def queue_flooded(snapshot: Snapshot) -> Cause | None:
    """More documents than ingestion can work off soon."""
    visible = {queue.name: float(queue.visible) for queue in snapshot.queues}
    age_s = max(
        (_oldest_s(snapshot, name) or 0.0 for name in visible),
        default=0.0,
    )
    total = sum(visible.values())
    if total < FLOOD_MESSAGES and not (total and age_s >= FLOOD_AGE_S):
        return None
    return Cause(
        name="queue-flooded",
        severity=Severity.DEGRADED if age_s >= FLOOD_AGE_S else Severity.NOTICE,
        felt="Searches work, uploads become searchable late",
        because=f"{total:,.0f} documents wait, the oldest for {age_s:,.0f} s{_dominant(snapshot)}",
        runbook="ingestion-stuck",
        evidence=(f"waiting: {listed(visible)}", _waiting(snapshot)),
        commands=(f"{OPS} logs ingestion --minutes 5",),
    )


def _oldest_s(snapshot: Snapshot, queue: str) -> float | None:
    name = f"haylift-{snapshot.stage}-{queue}"
    return snapshot.measurements.newest(AwsMetric.QUEUE_AGE, "Maximum", QueueName=name)


def _dominant(snapshot: Snapshot) -> str:
    """Names the tenant that most of the backlog belongs to."""
    if snapshot.backlog is None or not snapshot.backlog.documents:
        return ""
    tenant, count = next(iter(snapshot.backlog.documents_by_tenant.items()))
    is_dominant = count >= DOMINANT_RATIO * snapshot.backlog.documents
    return f", {of(count, snapshot.backlog.documents)} of tenant {tenant}" if is_dominant else ""


def _waiting(snapshot: Snapshot) -> str:
    if snapshot.backlog is None:
        return "the ledger was not asked for unfinished documents"
    least = "" if snapshot.backlog.is_whole else "at least "
    by_tenant = listed(dict(list(snapshot.backlog.documents_by_tenant.items())[:5])) or "none"
    return f"unfinished documents by tenant: {least}{by_tenant}"


FIRST_HEARTBEAT_S = 180.0
"""A new deployment's first heartbeat comes within a minute, and CloudWatch knows it a minute later."""


def heartbeat_silent(snapshot: Snapshot) -> Cause | None:
    """Nobody looks after the system at night: the alarms of quiet hours rest on the heartbeat."""
    rule = snapshot.heartbeat_rule
    if rule in {"DISABLED", MISSING}:
        because = f"the rule haylift-{snapshot.stage}-heartbeat is {rule.lower()}"
    elif (
        rule is None
        or METRICS in snapshot.unanswered
        or snapshot.measurements.total(Metric.HEARTBEATS)
        or snapshot.was_deployed_within(FIRST_HEARTBEAT_S)
    ):
        return None
    else:
        because = f"no heartbeat search {window(snapshot)}"
    return Cause(
        name="heartbeat-silent",
        severity=Severity.DEGRADED,
        felt="Users may feel nothing, but nobody would be told if they did",
        because=because,
        runbook="heartbeat",
        evidence=(f"rule: {rule}", *_search_errors(snapshot)),
        commands=(f"{OPS} logs search --minutes 5",),
    )


def _search_errors(snapshot: Snapshot) -> tuple[str, ...]:
    name = f"haylift-{snapshot.stage}-search"
    errors = snapshot.measurements.total(AwsMetric.FUNCTION_ERRORS, FunctionName=name)
    calls = snapshot.measurements.total(AwsMetric.INVOCATIONS, FunctionName=name)
    return (f"the function search failed {of(errors, calls)} times {window(snapshot)}",) if errors else ()


def load_is_shed(snapshot: Snapshot) -> Cause | None:
    """An operator sends users away on purpose."""
    if snapshot.flags is None or not snapshot.flags.shed_percent:
        return None
    shed = snapshot.measurements.total(Metric.LOAD_SHED)
    return Cause(
        name="load-shed",
        severity=Severity.DEGRADED,
        felt=f"{snapshot.flags.shed_percent} % of searches and questions are answered 503",
        because=f"the flag shed-load is set (shed {window(snapshot)}: {shed:.0f})",
        runbook="search-errors",
        evidence=(f"shed-load {snapshot.flags.shed_percent} %", f"shed requests: {shed:.0f}"),
        commands=(f"{OPS} flags set shed-load off   # changes: everybody is answered again",),
    )


def keywords_only(snapshot: Snapshot) -> Cause | None:
    """An operator lets the model endpoint rest."""
    if snapshot.flags is None or not snapshot.flags.keyword_only:
        return None
    return Cause(
        name="keyword-only",
        severity=Severity.DEGRADED,
        felt="Users get keyword results only, and semantic searches fail (503)",
        because="the flag keyword-only is set",
        runbook="model-endpoint-failing",
        evidence=("keyword-only on",),
        commands=(f"{OPS} flags set keyword-only off   # changes: the model endpoint is asked again",),
    )
