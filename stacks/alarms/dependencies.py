"""What the functions need, and the functions themselves: mostly causes of what is felt elsewhere."""

from collections.abc import Sequence

from haylift.telemetry import Dimension, Metric

from stacks.alarms.parts import AlarmSpec, AwsMetric, Part, Series, Severity, Watch
from stacks.alarms.watches import failures, probe
from stacks.environment import Environment, OpenSearchDomain

EMBEDDING = "embed"


def model_endpoint_failing() -> AlarmSpec:
    """Calls of the model endpoint end without an answer."""
    return AlarmSpec(
        name="model-endpoint-failing",
        severity=Severity.PAGE,
        fired_by="The model endpoint is stopped.",
        watches=(
            failures("calls", Metric.MODEL_FAILURES, threshold=0.5, minimum=3, task=EMBEDDING),
            probe("model_endpoint", "probe"),
        ),
    )


def _cluster(variant: str, metric: AwsMetric, *, minutes: int, severity: Severity) -> Watch:
    domain: dict[Dimension | Part, str] = {Part.DOMAIN: "index", Part.ACCOUNT: ""}
    return Watch(
        variant=variant,
        series={"status": Series(metric=metric, statistic="Maximum", dimensions=domain)},
        threshold=0,
        periods=minutes,
        breaching=minutes,
        severity=severity,
    )


def index_unhealthy(environment: Environment) -> AlarmSpec:
    """The index does not answer, or refuses writes."""
    of_domain = (
        _cluster("red", AwsMetric.CLUSTER_RED, minutes=1, severity=Severity.PAGE),
        # A node that is replaced makes a domain yellow for some minutes.
        _cluster("yellow", AwsMetric.CLUSTER_YELLOW, minutes=15, severity=Severity.TICKET),
        _cluster("writes-blocked", AwsMetric.WRITES_BLOCKED, minutes=1, severity=Severity.PAGE),
    )
    return AlarmSpec(
        name="index-unhealthy",
        severity=Severity.TICKET,
        fired_by="The index is locked, so that neither the heartbeat's search nor a write gets through.",
        watches=(
            probe("index", "probe"),
            failures("writes", Metric.INDEX_WRITE_FAILURES, threshold=0.5, minimum=3),
            *(of_domain if isinstance(environment.index, OpenSearchDomain) else ()),
        ),
    )


def cache_unhealthy() -> AlarmSpec:
    """The shared cache does not answer."""
    return AlarmSpec(
        name="cache-unhealthy",
        severity=Severity.TICKET,
        fired_by="The cache is stopped.",
        watches=(probe("cache"),),
    )


def functions_throttled(functions: Sequence[str]) -> AlarmSpec:
    """Lambda refuses to start a function as often as it is called."""

    def throttles(name: str) -> Watch:
        return Watch(
            variant=name,
            series={
                "throttles": Series(
                    metric=AwsMetric.THROTTLES, statistic="Sum", dimensions={Part.FUNCTION: name}
                )
            },
            threshold=0,
            # One full minute may be a burst that the caller's retry hides.
            periods=3,
            breaching=2,
        )

    return AlarmSpec(
        name="functions-throttled",
        severity=Severity.TICKET,
        fired_by="A function's reserved concurrency is set to 0, while it is called.",
        watches=tuple(throttles(name) for name in sorted(functions)),
    )
