"""What happens to a deployment, as its metrics tell it, and which alarms must ring."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from haylift.telemetry import NAMESPACE, Metric

from tests.contract.drift.contracts import function_names
from tests.infra.alarm_lab import Key, World

STAGE = "prod"
LANES = ("intake", "intake-bulk", "interactive", "backfill")
GIVING_UP = (*LANES, "audit")
"""What has a queue for that which it gave up."""

DEPENDENCIES = ("index", "cache", "model_endpoint", "tables")
DAY_MINUTES = 70
"""Longer than the longest window of an alarm."""

LONG, SHORT = range(DAY_MINUTES, DAY_MINUTES + 12), range(10, 22)
ACCOUNT = '{"Ref": "AWS::AccountId"}'


def ours(metric: Metric, **dimensions: str) -> Key:
    """A metric of ours."""
    return NAMESPACE, metric.value, frozenset(dimensions.items())


def gateway(name: str) -> Key:
    """A metric of the API."""
    return "AWS/ApiGateway", name, frozenset({("ApiName", f"haylift-{STAGE}-api"), ("Stage", "api")})


def queue(metric: str, name: str) -> Key:
    """A metric of a queue."""
    return "AWS/SQS", metric, frozenset({("QueueName", f"haylift-{STAGE}-{name}")})


def function(metric: str, name: str) -> Key:
    """A metric of a function."""
    return "AWS/Lambda", metric, frozenset({("FunctionName", f"haylift-{STAGE}-{name}")})


def domain(metric: str) -> Key:
    """A metric of the OpenSearch domain."""
    return "AWS/ES", metric, frozenset({("DomainName", f"haylift-{STAGE}-index"), ("ClientId", ACCOUNT)})


AGE, DEPTH = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One story.

    Args:
        minutes: its length.
        change: what is not as on any other day (or night).
        fault: the minutes of the fault.
        rings: alarms that must ring, with the minutes from the fault's begin until they do at the latest; all
            others must stay silent.
        clears_within: minutes from the fault's end until all are quiet; None: they must go on ringing.
        is_night: nobody uses the system; only the heartbeat runs.
    """

    minutes: int = 40
    change: Callable[[World, range], None] = lambda _world, _fault: None
    fault: range = SHORT
    rings: Mapping[str, int] = field(default_factory=dict)
    clears_within: int | None = 5
    is_night: bool = False

    def world(self) -> World:
        """The metrics of the whole story."""
        world = World(self.minutes)
        _add_background(world)
        if not self.is_night:
            _add_day(world)
        self.change(world, self.fault)
        return world


def _add_background(world: World) -> None:
    for outcome, value in {"ok": 1.0, "degraded": 0.0, "failed": 0.0}.items():
        world.put(ours(Metric.HEARTBEATS, outcome=outcome), [value])
    for name in DEPENDENCIES:
        world.put(ours(Metric.DEPENDENCY_HEALTHY, dependency=name), [1])
    for status in ("ClusterStatus.red", "ClusterStatus.yellow", "ClusterIndexWritesBlocked"):
        world.put(domain(status), [0])


def _add_day(world: World) -> None:
    """30 searches, 12 questions and 5 batches a minute, 60 requests at the gateway, some uploads."""
    for endpoint, number in {"/v1/search": 30, "/v1/query": 12, "/v1/search/batch": 5}.items():
        world.put(ours(Metric.REQUEST_FAILURES, endpoint=endpoint), [0] * number)
        world.put(ours(Metric.REQUEST_DURATION, endpoint=endpoint), [0.2] * number)
    world.put(gateway("Count"), [1] * 60)
    world.put(gateway("5XXError"), [0] * 60)
    world.put(ours(Metric.MODEL_FAILURES, task="embed"), [0] * 10)
    world.put(ours(Metric.INDEX_WRITE_FAILURES), [0] * 4)
    world.put(ours(Metric.DOCUMENT_REJECTIONS), [0] * 2)
    for name in LANES:
        world.put(queue(AGE, name), [20])
    for name in GIVING_UP:
        world.put(queue(DEPTH, f"{name}-dead"), [0])
    world.put(function("IteratorAge", "announcer"), [800] * 3)
    for name in function_names():
        world.put(function("Throttles", name), [0] * 5)


def puts(*keys: Key, values: Sequence[float], on: Callable[[range], range] = lambda fault: fault) -> Callable[
    [World, range], None
]:  # fmt: skip
    """A change that gives the metrics other samples during the fault."""

    def change(world: World, fault: range) -> None:
        for key in keys:
            world.put(key, values, on(fault))

    return change


def both(*changes: Callable[[World, range], None]) -> Callable[[World, range], None]:
    """Several changes at once."""

    def change(world: World, fault: range) -> None:
        for each in changes:
            each(world, fault)

    return change


SEARCH_FAILURES = ours(Metric.REQUEST_FAILURES, endpoint="/v1/search")
QUERY_FAILURES = ours(Metric.REQUEST_FAILURES, endpoint="/v1/query")
BATCH_FAILURES = ours(Metric.REQUEST_FAILURES, endpoint="/v1/search/batch")
SEARCH_TIMES = ours(Metric.REQUEST_DURATION, endpoint="/v1/search")
QUERY_TIMES = ours(Metric.REQUEST_DURATION, endpoint="/v1/query")
EMBED = ours(Metric.MODEL_FAILURES, task="embed")
WRITES = ours(Metric.INDEX_WRITE_FAILURES)
DRIFT = ours(Metric.INDEX_DRIFT)
REJECTIONS = ours(Metric.DOCUMENT_REJECTIONS)
HEARTBEAT = ours(Metric.HEARTBEATS, outcome="ok")


def probe(name: str) -> Key:
    """The heartbeat's question to a part."""
    return ours(Metric.DEPENDENCY_HEALTHY, dependency=name)


def failed_of(failed: int, number: int) -> list[float]:
    """Samples of a metric that is 1 for a failure and 0 else."""
    return [1.0] * failed + [0.0] * (number - failed)


def at_gateway(failed: int, number: int) -> Callable[[World, range], None]:
    """A change after which so many requests of so many are answered 5xx."""
    return both(
        puts(gateway("5XXError"), values=failed_of(failed, number)),
        puts(gateway("Count"), values=[1] * number),
    )
