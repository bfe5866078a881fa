"""The stories: what must stay silent, and what must ring."""

from collections.abc import Mapping

from haylift.telemetry import Metric

from tests.contract.drift.contracts import function_names
from tests.infra.alarm_scenarios import (
    AGE,
    BATCH_FAILURES,
    DAY_MINUTES,
    DEPENDENCIES,
    DEPTH,
    DRIFT,
    EMBED,
    GIVING_UP,
    HEARTBEAT,
    LANES,
    LONG,
    QUERY_FAILURES,
    QUERY_TIMES,
    REJECTIONS,
    SEARCH_FAILURES,
    SEARCH_TIMES,
    WRITES,
    Scenario,
    at_gateway,
    both,
    domain,
    failed_of,
    function,
    gateway,
    ours,
    probe,
    puts,
    queue,
)  # fmt: skip

QUIET = {
    "a quiet night": Scenario(is_night=True),
    "an ordinary day": Scenario(),
    "a night without SQS": Scenario(is_night=True, minutes=60),
    "one bad minute in the budget": Scenario(
        minutes=90, fault=range(72, 73), change=puts(SEARCH_FAILURES, values=failed_of(9, 30))
    ),
    "one search in a hundred fails all day": Scenario(
        minutes=150, fault=range(150), change=puts(SEARCH_FAILURES, values=failed_of(1, 100))
    ),
    "one of three night searches fails": Scenario(
        is_night=True,
        change=both(
            puts(SEARCH_FAILURES, EMBED, values=failed_of(1, 3)),
            puts(gateway("5XXError"), values=failed_of(1, 3)),
            puts(gateway("Count"), values=[1] * 3),
        ),
    ),
    "the only night caller waits long": Scenario(
        is_night=True, change=puts(SEARCH_TIMES, QUERY_TIMES, values=[25] * 9)
    ),
    "the only calls of a night fail once": Scenario(is_night=True, change=puts(EMBED, WRITES, values=[1, 1])),
    "four bad files at night": Scenario(
        is_night=True, fault=range(12, 13), change=puts(REJECTIONS, values=[1] * 4)
    ),
    "all of nine searches fail": Scenario(
        is_night=True, change=puts(SEARCH_FAILURES, values=[1] * 9), fault=range(12, 13)
    ),
    "a night of failures spread thin": Scenario(
        is_night=True, change=puts(SEARCH_FAILURES, values=[1], on=lambda _: range(0, 130, 3)), minutes=130
    ),
    "one of twenty night searches fails": Scenario(
        is_night=True, fault=range(12, 13), change=puts(SEARCH_FAILURES, values=failed_of(1, 20))
    ),
    "two of two fail after a busy quarter": Scenario(
        is_night=True,
        change=both(
            puts(SEARCH_FAILURES, values=[0] * 70, on=lambda _: range(5, 6)),
            puts(SEARCH_FAILURES, values=[1, 1], on=lambda _: range(20, 21)),
        ),
    ),
    "two minutes of changes are told late": Scenario(
        fault=range(12, 14), change=puts(function("IteratorAge", "announcer"), values=[150_000])
    ),
    "changes are told after 20 s": Scenario(
        change=puts(function("IteratorAge", "announcer"), values=[20_000])
    ),
    "a night of good questions": Scenario(is_night=True, change=puts(QUERY_FAILURES, values=[0] * 12)),
    "a night of good batches": Scenario(is_night=True, change=puts(BATCH_FAILURES, values=[0] * 12)),
    "nearly slow": Scenario(
        change=both(puts(SEARCH_TIMES, values=[1.9] * 30), puts(QUERY_TIMES, values=[2.4] * 12))
    ),
    "two slow minutes": Scenario(
        fault=range(12, 14), change=puts(SEARCH_TIMES, QUERY_TIMES, values=[20] * 30)
    ),
    "a few slow ones among many": Scenario(change=puts(SEARCH_TIMES, values=[9.0] + [0.2] * 29)),
    "four of a hundred requests fail": Scenario(change=puts(gateway("5XXError"), values=failed_of(2, 60))),
    "one bad minute at the gateway": Scenario(
        fault=range(12, 13), change=puts(gateway("5XXError"), values=[1] * 60)
    ),
    "one of two night requests fails": Scenario(is_night=True, change=at_gateway(1, 2)),
    "the only two requests of a minute fail": Scenario(is_night=True, change=at_gateway(2, 2)),
    "three of twelve requests fail": Scenario(is_night=True, change=at_gateway(3, 12)),
    "one bad minute of few requests": Scenario(is_night=True, fault=range(12, 13), change=at_gateway(11, 12)),
    "parts flap once": Scenario(
        fault=range(12, 13),
        change=both(puts(*(probe(name) for name in DEPENDENCIES), values=[0]), puts(HEARTBEAT, values=[0])),
    ),
    "two heartbeats fail": Scenario(fault=range(12, 14), change=puts(HEARTBEAT, values=[0])),
    "degraded heartbeats": Scenario(
        change=both(
            puts(HEARTBEAT, values=[0]), puts(ours(Metric.HEARTBEATS, outcome="degraded"), values=[1])
        )
    ),
    "four of ten calls and writes fail": Scenario(change=puts(EMBED, WRITES, values=failed_of(4, 10))),
    "one file of eight is bad": Scenario(change=puts(REJECTIONS, values=failed_of(1, 8))),
    "queues nearly too old": Scenario(
        change=both(
            puts(queue(AGE, "intake"), values=[220]),
            puts(queue(AGE, "intake-bulk"), values=[880]),
            puts(queue(AGE, "interactive"), values=[880]),
            puts(queue(AGE, "backfill"), values=[3_500]),
        )
    ),
    "queues old for two minutes": Scenario(
        fault=range(12, 14), change=puts(*(queue(AGE, name) for name in LANES), values=[99_999])
    ),
    "one throttled minute": Scenario(
        fault=range(12, 13), change=puts(*(function("Throttles", n) for n in function_names()), values=[1])
    ),
    "yellow for ten minutes": Scenario(
        fault=range(12, 22), change=puts(domain("ClusterStatus.yellow"), values=[0, 1])
    ),
}
LOUD = {
    "total outage of search": Scenario(
        minutes=150, fault=LONG, rings={"search-errors": 2}, clears_within=5,
        change=puts(SEARCH_FAILURES, QUERY_FAILURES, values=[1] * 30),
    ),
    "total outage on a busy day": Scenario(
        minutes=110, fault=LONG, rings={"search-errors": 2},
        change=both(
            puts(SEARCH_FAILURES, values=[0] * 300, on=lambda _: range(DAY_MINUTES)),
            puts(SEARCH_FAILURES, QUERY_FAILURES, values=[1] * 12),
        ),
    ),
    "two of a hundred fail": Scenario(
        minutes=220, fault=range(70, 150), rings={"search-errors": 55},
        change=puts(SEARCH_FAILURES, QUERY_FAILURES, values=failed_of(2, 100)), clears_within=8,
    ),
    "a fifth of the questions fails": Scenario(
        minutes=150, fault=range(70, 100), rings={"search-errors": 15},
        change=puts(QUERY_FAILURES, values=failed_of(3, 12)), clears_within=8,
    ),
    "after an outage one of two hundred fails": Scenario(
        minutes=130,
        fault=LONG,
        rings={"search-errors": 2},
        change=both(
            puts(SEARCH_FAILURES, values=failed_of(1, 200), on=lambda fault: range(fault.stop, 130)),
            puts(SEARCH_FAILURES, QUERY_FAILURES, values=[1] * 30),
        ),
        clears_within=8,
    ),
    "all batches of a night fail": Scenario(
        is_night=True, rings={"search-errors": 2}, change=puts(BATCH_FAILURES, values=[1] * 10)
    ),
    "all questions of a night fail": Scenario(
        is_night=True, rings={"search-errors": 2}, change=puts(QUERY_FAILURES, values=[1] * 10)
    ),
    "slow searches": Scenario(
        rings={"search-slow/search": 3}, change=puts(SEARCH_TIMES, values=[2.5] * 3 + [0.2] * 7)
    ),
    "slow questions": Scenario(
        rings={"search-slow/query": 3}, change=puts(QUERY_TIMES, values=[11.0] * 3 + [1.0] * 7)
    ),
    "a tenth of the requests fails": Scenario(
        rings={"api-errors": 2}, change=puts(gateway("5XXError"), values=failed_of(6, 60))
    ),
    "few requests, most fail": Scenario(
        is_night=True, rings={"api-errors": 2},
        change=both(puts(gateway("5XXError"), values=[1] * 20), puts(gateway("Count"), values=[1] * 20)),
    ),
    "the authorizer fails while hardly anybody asks": Scenario(
        is_night=True, rings={"api-errors": 2}, change=at_gateway(11, 12)
    ),
    "three requests a minute, all fail": Scenario(
        is_night=True, rings={"api-errors": 2}, change=at_gateway(3, 3)
    ),
    "heartbeats fail": Scenario(rings={"heartbeat": 3}, change=puts(HEARTBEAT, values=[0])),
    "heartbeats are silent": Scenario(
        rings={"heartbeat": 5},
        change=puts(HEARTBEAT, ours(Metric.HEARTBEATS, outcome="degraded"), values=[]),
    ),
    "the model is down by day": Scenario(
        rings={"model-endpoint-failing/calls": 1, "model-endpoint-failing/probe": 2},
        change=both(puts(EMBED, values=[1] * 3), puts(probe("model_endpoint"), values=[1, 0])),
    ),
    "the model is down at night": Scenario(
        is_night=True,
        rings={"model-endpoint-failing/probe": 2},
        change=puts(probe("model_endpoint"), values=[1, 0]),
    ),
    "the model flaps": Scenario(
        rings={"model-endpoint-failing/calls": 1}, change=puts(EMBED, values=failed_of(6, 10))
    ),
    "the index does not answer": Scenario(
        is_night=True, rings={"index-unhealthy/probe": 2}, change=puts(probe("index"), values=[1, 0])
    ),
    "the index refuses writes": Scenario(
        rings={"index-unhealthy/writes": 1}, change=puts(WRITES, values=failed_of(2, 3))
    ),
    "the announcer fails with every batch of a shard": Scenario(
        rings={"announcements-stuck": 3},
        change=puts(function("IteratorAge", "announcer"), values=[500, 121_000]),
    ),
    "a reconcile finds drift, the next one none": Scenario(
        rings={"index-drift": 1},
        change=both(
            puts(DRIFT, values=[2]),
            puts(DRIFT, values=[0], on=lambda fault: range(fault.stop, fault.stop + 1)),
        ),
    ),
    # Nobody looked again: silence is no proof that it is over.
    "a reconcile finds drift, and none comes after it": Scenario(
        rings={"index-drift": 1}, clears_within=None, change=puts(DRIFT, values=[1])
    ),
    "the cluster is red": Scenario(
        rings={"index-unhealthy/red": 1}, change=puts(domain("ClusterStatus.red"), values=[0, 1])
    ),
    "the cluster stays yellow": Scenario(
        minutes=60, fault=range(10, 40), rings={"index-unhealthy/yellow": 15},
        change=puts(domain("ClusterStatus.yellow"), values=[0, 1]),
    ),
    "the cluster blocks writes": Scenario(
        rings={"index-unhealthy/writes-blocked": 1},
        change=puts(domain("ClusterIndexWritesBlocked"), values=[0, 1]),
    ),
    "the cache is down": Scenario(rings={"cache-unhealthy": 2}, change=puts(probe("cache"), values=[1, 0])),
    "a flood of bad files": Scenario(
        rings={"documents-rejected": 5}, change=puts(REJECTIONS, values=failed_of(1, 2)), clears_within=8
    ),
    "five bad files at night": Scenario(
        is_night=True, fault=range(12, 13), rings={"documents-rejected": 1}, clears_within=20,
        change=puts(REJECTIONS, values=[1] * 5),
    ),
}  # fmt: skip
for _key, _what in {
    SEARCH_FAILURES: "searches",
    QUERY_FAILURES: "questions",
    BATCH_FAILURES: "batches",
}.items():
    LOUD[f"some {_what} of a night fail"] = Scenario(
        is_night=True, minutes=100, fault=range(70, 85), rings={"search-errors": 3}, clears_within=8,
        change=both(
            puts(_key, values=[0] * 20, on=lambda _: range(60, 100)), puts(_key, values=failed_of(4, 20))
        ),
    )  # fmt: skip
for _lane, _age_s in {"intake": 230, "intake-bulk": 910, "interactive": 910, "backfill": 3_700}.items():
    LOUD[f"{_lane} is stuck"] = Scenario(
        rings={f"ingestion-stuck/{_lane}": 3}, change=puts(queue(AGE, _lane), values=[5, _age_s])
    )
for _name in GIVING_UP:
    LOUD[f"{_name} gave up"] = Scenario(
        rings={f"dead-letters/{_name}-dead": 1}, change=puts(queue(DEPTH, f"{_name}-dead"), values=[0, 1])
    )
    # SQS stops reporting after the fault; the letters are still there.
    LOUD[f"{_name} gave up and is forgotten"] = Scenario(
        rings={f"dead-letters/{_name}-dead": 1}, clears_within=None,
        change=both(
            puts(queue(DEPTH, f"{_name}-dead"), values=[0, 1]),
            puts(queue(DEPTH, f"{_name}-dead"), values=[], on=lambda fault: range(fault.stop, 60)),
        ),
    )  # fmt: skip
for _name in function_names():
    LOUD[f"{_name} is throttled"] = Scenario(
        rings={f"functions-throttled/{_name}": 2}, change=puts(function("Throttles", _name), values=[1])
    )
SCENARIOS: Mapping[str, Scenario] = {**QUIET, **LOUD}
