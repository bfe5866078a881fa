"""Drills of what answers requests: functions, the index as it is read, cache, model endpoint, keys."""

from ops.drill.drill import EVERYWHERE, NO_USERS, SEARCHES, Drill
from ops.drill.faults import KeyDisabled, RuleDisabled, Throttled
from ops.drill.local_faults import Held, Stopped
from ops.drill.traffic import Kind, Rate

SLOW_MODEL = ("slow", "model", "--stopped-s", "2.6", "--running-s", "1.6")
"""Below the 3 s that a search waits for its vector, and far above the 2 s of the alarm."""

STALLED_MODEL = ("slow", "model", "--stopped-s", "12.4", "--running-s", "7.6")
"""A question waits longer than the 10 s of the alarm for the order of its sentences."""

BEHIND_THE_GATEWAY = (
    "ingestion", "dispatch", "auth", "documents", "gate", "metrics", "reference", "search", "audit",
)  # fmt: skip

SEARCH_DRILLS = (
    Drill(
        name="model-stop",
        breaks="the model endpoint's process is killed",
        felt="searches go by keywords and are marked degraded; new files wait behind the gate",
        fault=lambda: Stopped("model"),
        traffic=(SEARCHES,),
        rings={"model-endpoint-failing/calls": 2, "model-endpoint-failing/probe": 4},
        causes=("model-endpoint-down",),
        side_causes=("lanes-gated",),
        clear_min=5,
        # The gate closes the lanes, and opens them again within two minutes.
        parts=frozenset({"model", "probe", "flow"}),
        needs=frozenset({"heartbeat"}),
        can_keep=True,
    ),
    Drill(
        name="key-disable",
        breaks="the key that signs tokens is disabled in KMS",
        felt="nobody can log in (503); tokens that are out stay good",
        fault=KeyDisabled,
        traffic=(Rate(kind=Kind.LOGIN, per_minute=9), SEARCHES),
        rings={"api-errors": 4},
        causes=("signing-key-unusable",),
        side_causes=("requests-fail",),
        clear_min=5,
        parts=frozenset({"key"}),
        can_keep=True,
        refusal=NO_USERS,
    ),
    Drill(
        name="heartbeat-stop",
        breaks="the rule of the heartbeat is disabled",
        felt="nothing; but at night nobody would be told of a fault",
        fault=lambda: RuleDisabled("heartbeat"),
        traffic=(),
        rings={"heartbeat": 7},
        causes=("heartbeat-silent",),
        clear_min=3,
        parts=frozenset({"heartbeat", "index", "cache", "probe"}),
        can_keep=True,
        stages=EVERYWHERE,
    ),
    Drill(
        name="model-slow",
        breaks="the model endpoint's process stands still for 2.6 s of every 4.2 s",
        felt="many searches take more than two seconds",
        fault=lambda: Held(SLOW_MODEL, mend=("start", "model")),
        traffic=(SEARCHES,),
        rings={"search-slow/search": 5},
        may_ring=("model-endpoint-failing",),
        causes=("model-endpoint-slow", "answers-slow"),
        side_causes=("answers-slow",),
        clear_min=6,
        parts=frozenset({"model", "search"}),
    ),
    Drill(
        name="index-gone",
        breaks="the folder of the indexes is taken away",
        felt="searches and questions are answered 503 at once",
        fault=lambda: Held(("take-index",), mend=("return-index",)),
        traffic=(SEARCHES,),
        rings={"search-errors": 4, "index-unhealthy/probe": 5},
        may_ring=("api-errors", "heartbeat", "index-unhealthy/writes"),
        causes=("index-unavailable",),
        side_causes=("requests-fail",),
        clear_min=8,
        parts=frozenset({"flow", "index", "search", "heartbeat"}),
        needs=frozenset({"heartbeat"}),
    ),
    Drill(
        name="model-stall",
        breaks="the model endpoint's process stands still for 12.4 s of every 20 s",
        felt="some questions take more than ten seconds, some searches go by keywords",
        fault=lambda: Held(STALLED_MODEL, mend=("start", "model")),
        traffic=(Rate(kind=Kind.QUESTION, per_minute=40),),
        rings={"search-slow/query": 9},
        may_ring=("model-endpoint-failing", "search-slow", "api-errors"),
        causes=("model-endpoint-slow", "model-endpoint-down", "answers-slow"),
        side_causes=("requests-fail",),
        clear_min=6,
        parts=frozenset({"model", "search"}),
    ),
    Drill(
        name="index-lock",
        breaks="the index is held locked, for readers and for writers",
        felt="searches wait ten seconds and are answered 503",
        fault=lambda: Held(("lock-index",)),
        traffic=(SEARCHES,),
        rings={"index-unhealthy/probe": 8},
        may_ring=("search-errors", "search-slow", "api-errors", "heartbeat"),
        causes=("index-unavailable",),
        side_causes=("requests-fail", "answers-slow"),
        clear_min=8,
        parts=frozenset({"flow", "index", "search", "heartbeat"}),
        needs=frozenset({"heartbeat"}),
    ),
    Drill(
        name="cache-stop",
        breaks="the shared cache's process is killed",
        felt="repeated searches come slower; limits hold for each process only",
        fault=lambda: Stopped("cache"),
        traffic=(SEARCHES,),
        rings={"cache-unhealthy": 4},
        causes=("cache-unavailable",),
        clear_min=5,
        parts=frozenset({"cache"}),
        needs=frozenset({"heartbeat"}),
        can_keep=True,
    ),
    Drill(
        name="throttle-authorizer",
        breaks="the authorizer may not run (reserved concurrency 0)",
        felt="every request with a token is answered 500; logins work",
        fault=lambda: Throttled(("authorizer",)),
        traffic=(SEARCHES,),
        rings={"functions-throttled/authorizer": 4, "api-errors": 4},
        causes=("functions-throttled",),
        side_causes=("requests-fail",),
        clear_min=5,
        parts=frozenset({"search"}),
        can_keep=True,
        refusal=NO_USERS,
    ),
    Drill(
        name="throttle",
        breaks="no function but the authorizer may run (reserved concurrency 0)",
        felt="every request is answered 500, new files wait",
        fault=lambda: Throttled(BEHIND_THE_GATEWAY),
        traffic=(Rate(kind=Kind.TOUR, per_minute=40), Rate(kind=Kind.SMALL_FILE, per_minute=12)),
        rings={**{f"functions-throttled/{name}": 5 for name in BEHIND_THE_GATEWAY}, "api-errors": 5},
        may_ring=("search-errors", "heartbeat", "index-unhealthy", "cache-unhealthy", "ingestion-stuck"),
        causes=("functions-throttled",),
        side_causes=("requests-fail", "queue-flooded"),
        clear_min=6,
        parts=frozenset(
            {"flow", "search", "index", "cache", "heartbeat", "model", "intake", "interactive", "audit"}
        ),
        can_keep=True,
        refusal=NO_USERS,
    ),
)
