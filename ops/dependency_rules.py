"""Rules about what searches and questions depend on: keys, tables, index, model endpoint, cache."""

from haylift.telemetry import Metric

from ops.diagnosis import OPS, Cause, Severity, listed, of, window
from ops.measurements import AwsMetric
from ops.state import Snapshot

LOST = ("unavailable", "failed", "open")
LATE = "timeout"
SLOW_PROBE_MS = 1_000.0
"""The vector of one word takes 10 to 50 ms, behind a batch of documents up to a second."""

LEAST_CALLS = 3
"""A single lost call is repeated by its caller and felt by nobody."""

LEAST_REFUSALS = 20
REFUSED_RATIO = 0.5
LEAST_WRITES = 2


def signing_key_unusable(snapshot: Snapshot) -> Cause | None:
    """KMS does not sign with the key: nobody can log in. Tokens are checked with a kept public key."""
    if snapshot.signing_key is None or snapshot.signing_key == "Enabled":
        return None
    state = f"KMS says that the signing key is {snapshot.signing_key}"
    return Cause(
        name="signing-key-unusable",
        severity=Severity.OUTAGE,
        felt="Nobody can log in or renew a login; tokens that are out end within 15 minutes",
        because=state,
        runbook="api-errors",
        evidence=(state, *_refusals(snapshot)),
        commands=(
            f"{OPS} logs auth --minutes 15 --filter '?ERROR'",
            f"{OPS} keys list",
            f"{OPS} keys enable {snapshot.signing_key_id} --yes   # changes: KMS signs with it again",
        ),
    )


def tokens_refused(snapshot: Snapshot) -> Cause | None:
    """Most requests are refused before they reach a function, by an authorizer that does not work."""
    calls = snapshot.measurements.total(AwsMetric.GATEWAY_CALLS)
    refused = snapshot.measurements.total(AwsMetric.GATEWAY_REFUSALS)
    limited = snapshot.measurements.total(Metric.RATE_LIMITED)
    refused -= min(limited, refused)
    if refused < LEAST_REFUSALS or refused < REFUSED_RATIO * calls:
        return None
    return Cause(
        name="tokens-refused",
        severity=Severity.DEGRADED,
        felt="Most requests are refused with 4xx",
        because=f"{of(refused, calls)} requests {window(snapshot)}",
        runbook="api-errors",
        evidence=_refusals(snapshot),
        commands=(f"{OPS} logs authorizer --minutes 15", f"{OPS} logs auth --minutes 15"),
    )


def _refusals(snapshot: Snapshot) -> tuple[str, ...]:
    found = snapshot.measurements
    calls, refused = found.total(AwsMetric.GATEWAY_CALLS), found.total(AwsMetric.GATEWAY_REFUSALS)
    errors = found.by("FunctionName", AwsMetric.FUNCTION_ERRORS)
    authorizer = errors.get(f"haylift-{snapshot.stage}-authorizer", 0)
    logins = listed(found.by("outcome", Metric.LOGINS))
    failed = found.total(Metric.REQUEST_FAILURES, endpoint="/v1/auth/login")
    fault = snapshot.health.login_fault if snapshot.health else ""
    return tuple(
        text
        for text, is_there in (
            (f"the gateway answered {of(refused, calls)} requests with 4xx {window(snapshot)}", refused),
            (f"the authorizer refused a token, or failed, {authorizer:.0f} times", authorizer),
            (f"{failed:.0f} logins ended with a server error", failed),
            (f"logins: {logins}", logins),
            (f"a login just now was answered: {fault}", fault),
        )
        if is_there
    )


def tables_down(snapshot: Snapshot) -> Cause | None:
    """DynamoDB does not answer: no rights, no live revisions, so no answers."""
    if not snapshot.part_is_down("tables"):
        return None
    return Cause(
        name="tables-unavailable",
        severity=Severity.OUTAGE,
        felt="Users get no answers",
        because="the tables do not answer",
        runbook="search-errors",
        evidence=_part_evidence(snapshot, "tables"),
        commands=(f"{OPS} logs search --minutes 5 --filter '?ERROR ?WARNING'",),
    )


def index_down(snapshot: Snapshot) -> Cause | None:
    """The index is locked or gone: searches fail."""
    if not snapshot.part_is_down("index") or _is_partly_down(snapshot, "index"):
        return None
    return Cause(
        name="index-unavailable",
        severity=Severity.OUTAGE,
        felt="Users get no answers",
        because="the index does not answer (locked or gone)",
        runbook="index-unhealthy",
        evidence=(*_part_evidence(snapshot, "index"), *_refused_writes(snapshot)),
        commands=(
            f"{OPS} logs search --minutes 5 --filter index",
            f"{OPS} logs ingestion --minutes 5 --filter index",
        ),
    )


def index_partly_down(snapshot: Snapshot) -> Cause | None:
    """The indexes of some tenants are locked, damaged or gone; others answer."""
    if not _is_partly_down(snapshot, "index"):
        return None
    return Cause(
        name="index-partly-unavailable",
        severity=Severity.DEGRADED,
        felt="Users of some tenants get no answers",
        because="the index of at least one tenant cannot be read (locked, damaged or gone); others answer",
        runbook="index-unhealthy",
        evidence=(*_part_evidence(snapshot, "index"), *_refused_writes(snapshot)),
        commands=(f"{OPS} logs search --minutes 5 --filter 'index of a tenant'",),
    )


def _is_partly_down(snapshot: Snapshot, part: str) -> bool:
    """Whether the part answers some and not others; only to admins does the live look say it of a part."""
    if snapshot.health is None:
        return False
    if part in snapshot.health.parts:
        return snapshot.health.parts[part] == "degraded"
    return snapshot.health.status != "unhealthy" and snapshot.part_is_down(part)


def index_refuses_writes(snapshot: Snapshot) -> Cause | None:
    """The index answers but takes no documents: locked by a writer that does not end."""
    if snapshot.part_is_down("index"):
        return None
    newest = snapshot.measurements.newest_total(Metric.INDEX_WRITE_FAILURES, snapshot.newest_minute_s)
    failed = snapshot.measurements.total(Metric.INDEX_WRITE_FAILURES)
    writes = snapshot.measurements.total(Metric.INDEX_WRITE_FAILURES, "SampleCount")
    if failed < LEAST_WRITES or not newest:
        return None
    return Cause(
        name="index-locked",
        severity=Severity.DEGRADED,
        felt="Searches work, but uploads do not become searchable",
        because=f"the index refused {of(failed, writes)} writes {window(snapshot)} (locked)",
        runbook="index-unhealthy",
        evidence=(*_refused_writes(snapshot), *_part_evidence(snapshot, "index")),
        commands=(f"{OPS} logs ingestion --minutes 5 --filter index",),
    )


def _refused_writes(snapshot: Snapshot) -> tuple[str, ...]:
    failed = snapshot.measurements.total(Metric.INDEX_WRITE_FAILURES)
    writes = snapshot.measurements.total(Metric.INDEX_WRITE_FAILURES, "SampleCount")
    # Writes that went well say nothing for a fault of the index: it may be one tenant's, or younger.
    return (f"the index refused {of(failed, writes)} writes {window(snapshot)}",) if failed else ()


def model_down(snapshot: Snapshot) -> Cause | None:
    """The model endpoint gives no answer: searches go by keywords, uploads wait."""
    lost, late, calls = _model_calls(snapshot)
    is_down = snapshot.part_is_down("model_endpoint") and _code(snapshot, "model_endpoint") != "timeout"
    if not (is_down and late <= lost) and not (_model_fails_now(snapshot) and lost > late):
        return None
    count = f"{of(lost + late, calls)} calls of the model endpoint failed {window(snapshot)}"
    return Cause(
        name="model-endpoint-down",
        severity=Severity.DEGRADED,
        felt="Users get keyword results only, and semantic searches fail (503)",
        because=count if lost + late else "the model endpoint does not answer",
        runbook="model-endpoint-failing",
        evidence=(*_model_evidence(snapshot), *_part_evidence(snapshot, "model_endpoint")),
        commands=(
            f"{OPS} logs search --minutes 5 --filter model",
            f"{OPS} flags set keyword-only on --yes   # changes: spares users the wait until it is back",
        ),
    )


def model_slow(snapshot: Snapshot) -> Cause | None:
    """The model endpoint answers too late."""
    lost, late, calls = _model_calls(snapshot)
    probe_ms = snapshot.health.duration_ms_by_part.get("model_endpoint", 0.0) if snapshot.health else 0.0
    is_late = snapshot.part_is_down("model_endpoint") and _code(snapshot, "model_endpoint") == "timeout"
    fails_late = _model_fails_now(snapshot) and late >= lost
    if not fails_late and not (is_late and late >= lost) and probe_ms < SLOW_PROBE_MS:
        return None
    if model_down(snapshot) is not None:
        return None
    timed_out = f"{of(late, calls)} calls of the model endpoint timed out {window(snapshot)}"
    return Cause(
        name="model-endpoint-slow",
        severity=Severity.DEGRADED,
        felt="Users wait, and some get keyword results only",
        because=timed_out if late else f"one word took the model endpoint {probe_ms:,.0f} ms",
        runbook="model-endpoint-failing",
        evidence=(*_model_evidence(snapshot), *_part_evidence(snapshot, "model_endpoint")),
        commands=(
            f"{OPS} logs search --minutes 5 --filter model",
            f"{OPS} flags set pause-ingestion on --yes   # changes: documents leave the model to searches",
        ),
    )


def _model_calls(snapshot: Snapshot) -> tuple[float, float, float]:
    """Calls of the window that were lost, that came too late, and all."""
    outcomes = snapshot.measurements.by("outcome", Metric.MODEL_CALLS)
    lost = sum(outcomes.get(outcome, 0.0) for outcome in LOST)
    return lost, outcomes.get(LATE, 0.0), sum(outcomes.values())


def _model_fails_now(snapshot: Snapshot) -> bool:
    """Whether calls fail in the newest minutes, and not only before; a part that answers is believed."""
    lost, late, _ = _model_calls(snapshot)
    if lost + late < LEAST_CALLS:
        return False
    is_answering = snapshot.health is not None and snapshot.health.parts.get("model_endpoint") == "healthy"
    # What answers now may have failed a minute ago: only the minute under way speaks against it.
    since_s = snapshot.this_minute_s if is_answering else snapshot.newest_minute_s
    recent = {
        outcome: snapshot.measurements.newest_total(Metric.MODEL_CALLS, since_s, outcome=outcome)
        for outcome in (*LOST, LATE, "ok")
    }
    failing = sum(count for outcome, count in recent.items() if outcome != "ok")
    return failing > (recent["ok"] if is_answering else 0)


def _model_evidence(snapshot: Snapshot) -> tuple[str, ...]:
    found = snapshot.measurements
    outcomes, degraded = found.by("outcome", Metric.MODEL_CALLS), found.by("reason", Metric.DEGRADED_ANSWERS)
    slowest = {
        task: value
        for task in ("embed", "rerank")
        if (value := found.worst(Metric.MODEL_DURATION, "p95", task=task)) is not None
    }
    calls = (f"calls {window(snapshot)}: {listed(outcomes)}",) if any(outcomes.values()) else ()
    answers = (f"degraded answers: {listed(degraded)}",) if any(degraded.values()) else ()
    return (*calls, *answers, *(f"p95 of {task}: {value:.2f} s" for task, value in slowest.items()))


def cache_down(snapshot: Snapshot) -> Cause | None:
    """The shared cache does not answer: slower, and no limits of searches."""
    if not snapshot.part_is_down("cache"):
        return None
    return Cause(
        name="cache-unavailable",
        severity=Severity.DEGRADED,
        felt="Answers come slower, repeated ones too",
        because="the shared cache does not answer",
        runbook="cache-unhealthy",
        evidence=_part_evidence(snapshot, "cache"),
        commands=(f"{OPS} logs search --minutes 5 --filter cache",),
    )


def _part_evidence(snapshot: Snapshot, part: str) -> tuple[str, ...]:
    found: list[str] = []
    if snapshot.health is not None and part in snapshot.health.parts:
        code, took = _code(snapshot, part), snapshot.health.duration_ms_by_part.get(part, 0.0)
        reason = f" ({code})" if code else ""
        found.append(f"GET /health: {part} {snapshot.health.parts[part]}{reason} after {took:,.0f} ms")
    newest = snapshot.measurements.newest(Metric.DEPENDENCY_HEALTHY, "Minimum", dependency=part)
    if newest is not None:
        heard = "did not answer" if not newest else "answered"
        still = "still " if newest and snapshot.part_is_down(part) else ""
        found.append(f"last heartbeat: {part} {still}{heard}")
    return tuple(found)


def _code(snapshot: Snapshot, part: str) -> str:
    return snapshot.health.codes.get(part, "") if snapshot.health else ""
