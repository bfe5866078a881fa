"""All drills: what each breaks, which alarms must ring and clear, and what users feel meanwhile."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ops.deployment import LOCAL_STAGE
from ops.drill.faults import (
    Fault,
    Impatient,
    KeyDisabled,
    NoFault,
    RuleDisabled,
    SourcesDisabled,
    Throttled,
)
from ops.drill.flood import Flooded
from ops.drill.local_faults import Crashing, Held, Retried, Stopped
from ops.drill.traffic import Kind, Rate

SEARCHES = Rate(kind=Kind.SEARCH, per_minute=30)
"""Two seeded users of the tenant may do this within the limit of 60 a minute each."""

NOT_ON_AWS = "there is no process to stop safely on AWS"
NO_USERS = "it needs users whose searches may fail: run it on the local system"
EVERYWHERE = frozenset({LOCAL_STAGE, "dev", "prod"})
LOCAL_AND_DEV = frozenset({LOCAL_STAGE, "dev"})
NAMED_WITHIN_MIN = 3.0
"""Within so many minutes `ops status` names the cause, also of what rings nowhere."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One real fault and what must come of it.

    Args:
        rings: alarms that must ring, with the minutes of the alarms' clock within which they do;
            `dead-letters` stands for any part of it, `dead-letters/intake-dead` for this one.
        may_ring: what else may ring, because the fault may be felt there too.
        causes: names of which `ops status` must give one first.
        clear_min: minutes within which all are OK again after the repair.
        parts: what it breaks; two drills of one part do not run at the same time.
        needs: what must be whole while its alarms clear.
        can_keep: whether the fault may stay after the command has ended.
        refusal: why it runs on no stage but those of `stages`.
    """

    name: str
    breaks: str
    felt: str
    fault: Callable[[], Fault]
    traffic: tuple[Rate, ...]
    rings: Mapping[str, float]
    may_ring: tuple[str, ...] = ()
    causes: tuple[str, ...]
    clear_min: float
    parts: frozenset[str]
    needs: frozenset[str] = frozenset()
    can_keep: bool = False
    stages: frozenset[str] = field(default=frozenset({LOCAL_STAGE}))
    refusal: str = NOT_ON_AWS

    @property
    def detect_min(self) -> float:
        """Within so many minutes everything rings, and status says why."""
        return max((*self.rings.values(), NAMED_WITHIN_MIN))

    @property
    def declared(self) -> tuple[str, ...]:
        """All alarms that may ring while it runs."""
        return (*self.rings, *self.may_ring)

    def disturbs(self, other: "Drill", *, is_broken: bool = True) -> bool:
        """Whether it must wait for another one, which is broken now or clears.

        One's alarms could be taken for the other's, or one's fault hold up what the other needs.
        """
        alarms = any_match(self.rings, other.declared) or any_match(other.rings, self.declared)
        return alarms or bool(self.parts & (other.parts | other.needs if is_broken else other.needs))


def matches(pattern: str, alarm: str) -> bool:
    """Whether an alarm is meant.

    >>> matches("dead-letters", "dead-letters/intake"), matches("dead-letters/intake", "dead-letters/bulk")
    (True, False)
    """
    return alarm == pattern or alarm.startswith(f"{pattern}/")


def any_match(patterns: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two sets of alarms have one in common.

    >>> any_match(["search-slow/search"], ["api-errors", "search-slow"]), any_match(["a/b"], ["a/c"])
    (True, False)
    """
    known = tuple(others)
    return any(matches(one, other) or matches(other, one) for one in patterns for other in known)


SLOW_MODEL = ("slow", "model", "--stopped-s", "2.6", "--running-s", "1.6")
"""Below the 3 s that a search waits for its vector, and far above the 2 s of the alarm."""

STALLED_MODEL = ("slow", "model", "--stopped-s", "12.4", "--running-s", "7.6")
"""A question waits longer than the 10 s of the alarm for the order of its sentences."""

LANES = ("interactive", "backfill")
LANES_WHOLE = frozenset({"intake", "interactive", "backfill", "index"})
"""What must be whole so that messages get done."""

BEHIND_THE_GATEWAY = ("ingestion", "dispatch", "auth", "documents", "metrics", "reference", "search", "audit")


def _crashing(function: str, *queues: str) -> Fault:
    return Crashing(Held(("crash", function)), Impatient(queues, receives=2))


INGESTION_DRILLS = (
    Drill(
        name="dead-letter",
        breaks="the ingestion worker is killed whenever it holds a message",
        felt="these files never become searchable; searches work",
        fault=lambda: _crashing("ingestion", *LANES),
        traffic=(Rate(kind=Kind.LARGE_FILE, per_minute=6, is_bulk=True),),
        rings={"dead-letters/interactive-dead": 6, "dead-letters/backfill-dead": 6},
        causes=("dead-letters",),
        clear_min=3,
        parts=frozenset({"interactive", "backfill"}),
        needs=LANES_WHOLE,
    ),
    Drill(
        name="backfill-stop",
        breaks="the backfill lane feeds nobody while files arrive in it",
        felt="bulk loads do not become searchable; everything else works",
        fault=lambda: SourcesDisabled(("backfill",)),
        traffic=(Rate(kind=Kind.BULK_FILE, per_minute=1),),
        rings={"ingestion-stuck/backfill": 34},
        causes=("ingestion-paused",),
        clear_min=5,
        parts=frozenset({"backfill"}),
        needs=LANES_WHOLE,
        can_keep=True,
        stages=LOCAL_AND_DEV,
        refusal="everybody's bulk loads would wait for hours",
    ),
    Drill(
        name="dead-letter-intake",
        breaks="the dispatch worker is killed whenever it holds a message",
        felt="new files are not even listed; searches work",
        fault=lambda: _crashing("dispatch", "intake"),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=6),),
        rings={"dead-letters/intake-dead": 5},
        causes=("dead-letters",),
        clear_min=3,
        parts=frozenset({"intake", "interactive"}),
        needs=LANES_WHOLE,
    ),
    Drill(
        name="poison-file",
        breaks="files arrive that cannot be read: cut off, damaged, locked with a password",
        felt="each of them is REJECTED with a reason; other files are not held up",
        fault=NoFault,
        traffic=(Rate(kind=Kind.POISON, per_minute=12),),
        rings={"documents-rejected": 6},
        causes=("documents-rejected",),
        clear_min=7,
        parts=frozenset({"intake", "interactive"}),
        stages=EVERYWHERE,
    ),
    Drill(
        name="ingestion-stop",
        breaks="intake and the interactive lane feed nobody while files arrive",
        felt="new files do not become searchable; searches work",
        fault=lambda: SourcesDisabled(("interactive", "intake")),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=4),),
        rings={"ingestion-stuck/interactive": 9, "ingestion-stuck/intake": 9},
        causes=("ingestion-paused",),
        clear_min=5,
        parts=frozenset({"intake", "interactive"}),
        needs=LANES_WHOLE,
        can_keep=True,
        stages=LOCAL_AND_DEV,
        refusal="everybody's uploads would wait",
    ),
    Drill(
        name="index-write-lock",
        breaks="a writer of the index does not end",
        felt="new files wait; searches work",
        fault=lambda: Retried(Held(("lock-index", "writers")), Impatient(LANES, visibility_min=2.0)),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=12, is_bulk=True),),
        rings={"index-unhealthy/writes": 4},
        causes=("index-locked",),
        clear_min=5,
        parts=frozenset({"index", "intake", "interactive", "backfill"}),
        needs=LANES_WHOLE,
    ),
    Drill(
        name="queue-flood",
        breaks="a tenant uploads 250 files at once",
        felt="its files become searchable late; other tenants and searches are not held up",
        fault=lambda: Flooded(250),
        traffic=(),
        rings={},
        may_ring=("ingestion-stuck",),
        causes=("queue-flooded",),
        clear_min=15,
        parts=frozenset({"intake", "interactive", "backfill"}),
        needs=LANES_WHOLE,
    ),
)
SEARCH_DRILLS = (
    Drill(
        name="model-stop",
        breaks="the model endpoint's process is killed",
        felt="searches go by keywords and are marked degraded; new files wait",
        fault=lambda: Stopped("model"),
        traffic=(SEARCHES,),
        rings={"model-endpoint-failing/calls": 2, "model-endpoint-failing/probe": 4},
        causes=("model-endpoint-down",),
        clear_min=5,
        parts=frozenset({"model"}),
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
        clear_min=5,
        parts=frozenset({"key"}),
        can_keep=True,
        refusal=NO_USERS,
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
        can_keep=True,
    ),
    Drill(
        name="model-slow",
        breaks="the model endpoint's process stands still for 2.6 s of every 4.2 s",
        felt="many searches take more than two seconds",
        fault=lambda: Held(SLOW_MODEL, part="model"),
        traffic=(SEARCHES,),
        rings={"search-slow/search": 5},
        may_ring=("model-endpoint-failing",),
        causes=("model-endpoint-slow", "answers-slow"),
        clear_min=6,
        parts=frozenset({"model", "search"}),
    ),
    Drill(
        name="model-stall",
        breaks="the model endpoint's process stands still for 12.4 s of every 20 s",
        felt="some questions take more than ten seconds, some searches go by keywords",
        fault=lambda: Held(STALLED_MODEL, part="model"),
        traffic=(Rate(kind=Kind.QUESTION, per_minute=40),),
        rings={"search-slow/query": 9},
        may_ring=("model-endpoint-failing", "search-slow", "api-errors"),
        causes=("model-endpoint-slow", "model-endpoint-down", "answers-slow"),
        clear_min=6,
        parts=frozenset({"model", "search"}),
    ),
    Drill(
        name="index-lock",
        breaks="the index is held locked, for readers and for writers",
        felt="searches wait ten seconds and are answered 503",
        fault=lambda: Held(("lock-index",)),
        traffic=(SEARCHES,),
        rings={"index-unhealthy/probe": 5, "search-errors": 6},
        may_ring=("search-slow", "api-errors", "heartbeat"),
        causes=("index-unavailable",),
        clear_min=8,
        parts=frozenset({"index", "search", "heartbeat", "interactive"}),
    ),
    Drill(
        name="heartbeat-stop",
        breaks="the rule of the heartbeat is disabled",
        felt="nothing; but at night nobody would be told of a fault",
        fault=lambda: RuleDisabled("heartbeat"),
        traffic=(),
        rings={"heartbeat": 5},
        causes=("heartbeat-silent",),
        clear_min=3,
        parts=frozenset({"heartbeat", "index", "cache", "model"}),
        can_keep=True,
        stages=EVERYWHERE,
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
        clear_min=6,
        parts=frozenset({"search", "index", "cache", "heartbeat", "model", "intake", "interactive"}),
        can_keep=True,
        refusal=NO_USERS,
    ),
    Drill(
        name="throttle-authorizer",
        breaks="the authorizer may not run (reserved concurrency 0)",
        felt="every request with a token is answered 500; logins work",
        fault=lambda: Throttled(("authorizer",)),
        traffic=(SEARCHES,),
        rings={"functions-throttled/authorizer": 4, "api-errors": 4},
        causes=("functions-throttled",),
        clear_min=5,
        parts=frozenset({"search"}),
        can_keep=True,
        refusal=NO_USERS,
    ),
)
DRILLS = (*INGESTION_DRILLS, *SEARCH_DRILLS)
DRILLS_BY_NAME = {drill.name: drill for drill in DRILLS}
