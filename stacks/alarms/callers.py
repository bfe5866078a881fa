"""What callers of the API feel: failed answers, slow answers, silence."""

from haylift.telemetry import Dimension, Metric

from stacks.alarms.parts import AlarmSpec, AwsMetric, Missing, Part, Rings, Series, Severity, Watch
from stacks.alarms.watches import guarded, ours

SEARCHED = ("/v1/search", "/v1/search/batch", "/v1/query")
"""What users came for; aliases count under these."""

OBJECTIVE_FAILURE_RATIO = 0.001
BURN_RATE = 14.4
BURNING = round(OBJECTIVE_FAILURE_RATIO * BURN_RATE, 4)
HOUR_S = 3600
MOST = 0.5


def _search_failures(variant: str, *, threshold: float, minimum: int, period_s: int, periods: int) -> Watch:
    """The share of failed searches and questions; a gap is no request, so that clearing needs no traffic."""
    failed = {f"f{n}": ours(Metric.REQUEST_FAILURES, "Sum", endpoint=e) for n, e in enumerate(SEARCHED)}
    asked = {
        f"n{n}": ours(Metric.REQUEST_FAILURES, "SampleCount", endpoint=e) for n, e in enumerate(SEARCHED)
    }
    sums = [f"SUM([{', '.join(f'FILL({name}, 0)' for name in names)}])" for names in (failed, asked)]
    return Watch(
        variant=variant,
        series={**failed, **asked},
        expression=guarded(f"{sums[0]} / {sums[1]}", sums[1], minimum),
        threshold=threshold,
        minimum_volume=minimum,
        period_s=period_s,
        periods=periods,
        breaching=1,
    )


def search_errors() -> AlarmSpec:
    """Searches and questions fail faster than the objective can bear, or nearly all of them."""
    return AlarmSpec(
        name="search-errors",
        severity=Severity.PAGE,
        fired_by="The index is locked for reading (or its folder taken away), while users search.",
        watches=(
            _search_failures("fast", threshold=BURNING, minimum=20, period_s=300, periods=1),
            # Without the hour one bad minute would ring; without the five minutes it would ring for an hour.
            _search_failures("hour", threshold=BURNING, minimum=60, period_s=HOUR_S, periods=1),
            # FILL makes the newest minute 0 until its data are there, so the ones before count too.
            _search_failures("outage", threshold=0.5, minimum=10, period_s=60, periods=3),
        ),
        together=(("fast", "hour"), ("outage",)),
    )


def _p95(variant: str, endpoint: str, threshold_s: float) -> Watch:
    minimum = 10
    return Watch(
        variant=variant,
        series={
            "p95": ours(Metric.REQUEST_DURATION, "p95", endpoint=endpoint),
            "n": ours(Metric.REQUEST_DURATION, "SampleCount", endpoint=endpoint),
        },
        # Of fewer requests a 95th percentile is the slowest one.
        expression=guarded("p95", "n", minimum),
        threshold=threshold_s,
        minimum_volume=minimum,
        periods=5,
        breaching=3,
    )


def search_slow() -> AlarmSpec:
    """The slowest twentieth of searches or questions takes too long."""
    return AlarmSpec(
        name="search-slow",
        severity=Severity.PAGE,
        fired_by="The model endpoint answers each call only after seconds, while users search new questions.",
        # Haystack's production guides recommend action above 2 s. A question asks the model twice, and goes
        # without either after 2 s when it hangs: only an alarm well below those 4 s can ring.
        watches=(_p95("search", "/v1/search", 2.0), _p95("query", "/v1/query", 2.5)),
    )


def api_errors() -> AlarmSpec:
    """The gateway answers 5xx, whichever route was called: a share of many requests, or most of a few."""
    many, few_failed = 20, 3
    api: dict[Dimension | Part, str] = {Part.API: "api", Part.API_STAGE: "api"}
    watch = Watch(
        series={
            "failed": Series(metric=AwsMetric.GATEWAY_FAILURES, statistic="Sum", dimensions=api),
            "asked": Series(metric=AwsMetric.GATEWAY_REQUESTS, statistic="Sum", dimensions=api),
        },
        # Nothing else sees an authorizer that fails while hardly anybody asks: the heartbeat passes it by.
        expression=(
            f"IF(asked >= {many} OR (failed >= {few_failed} AND failed / asked > {MOST}), failed / asked, 0)"
        ),
        threshold=0.05,
        minimum_volume=few_failed,
        periods=3,
        breaching=2,
    )
    return AlarmSpec(
        name="api-errors",
        severity=Severity.PAGE,
        fired_by="The function `documents` crashes at its start (a broken setting) while users call it.",
        watches=(watch,),
    )


def heartbeat() -> AlarmSpec:
    """A degraded search is alive: what degrades it has its own alarm."""
    watch = Watch(
        series={name: ours(Metric.HEARTBEATS, "Sum", outcome=name) for name in ("ok", "degraded")},
        expression="SUM([ok, degraded])",
        threshold=1,
        rings=Rings.BELOW,
        periods=3,
        breaching=3,
        missing=Missing.ALARMING,
    )
    return AlarmSpec(
        name="heartbeat",
        severity=Severity.PAGE,
        fired_by="The heartbeat's rule is disabled; or the index is taken away, so that its search fails.",
        watches=(watch,),
    )
