"""Drills of what brings files into the index: queues, workers, the index as it is written."""

from ops.drill.drill import EVERYWHERE, LOCAL_AND_DEV, Drill
from ops.drill.faults import Fault, Impatient, NoFault, SourcesDisabled
from ops.drill.flood import Flooded
from ops.drill.local_faults import Crashing, Held, Retried
from ops.drill.traffic import Kind, Rate

LANES = ("interactive", "backfill")
WHOLE = frozenset({"flow", "intake", "intake-bulk", "interactive", "backfill", "index"})
"""What must be whole so that messages get done; `flow` is that somebody works on them."""


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
        # A file with which worker after worker died is given up, and rightly so.
        may_ring=("documents-rejected", "ingestion-stuck"),
        causes=("dead-letters",),
        side_causes=("function-crashing",),
        clear_min=3,
        parts=frozenset({"flow", "interactive", "backfill"}),
    ),
    Drill(
        name="backfill-stop",
        breaks="the backfill lane and the intake of bulk files feed nobody while files arrive",
        felt="bulk loads do not become searchable; everything else works",
        fault=lambda: Retried(
            SourcesDisabled(("backfill", "intake-bulk")),
            Impatient(("backfill", "intake-bulk"), visibility_min=2.0),
        ),
        traffic=(Rate(kind=Kind.BULK_FILE, per_minute=1),),
        rings={"ingestion-stuck/backfill": 19, "ingestion-stuck/intake-bulk": 20},
        causes=("ingestion-paused",),
        side_causes=("queue-flooded",),
        clear_min=5,
        parts=frozenset({"backfill", "intake-bulk"}),
        can_keep=True,
        stages=LOCAL_AND_DEV,
        refusal="everybody's bulk loads would wait for an hour",
        needs=WHOLE,
    ),
    Drill(
        name="index-write-lock",
        breaks="a writer of the index does not end",
        felt="new files wait; searches work",
        fault=lambda: Retried(
            Held(("lock-index", "writers")), Impatient(("interactive",), visibility_min=2.0)
        ),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=12),),
        rings={"index-unhealthy/writes": 4},
        may_ring=("ingestion-stuck/interactive",),
        causes=("index-locked",),
        clear_min=5,
        parts=frozenset({"flow", "index", "intake", "interactive"}),
    ),
    Drill(
        name="dead-letter-intake",
        breaks="the dispatch worker is killed whenever it holds a message",
        felt="new files are not even listed; searches work",
        fault=lambda: _crashing("dispatch", "intake", "intake-bulk"),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=6), Rate(kind=Kind.BULK_FILE, per_minute=6)),
        rings={"dead-letters/intake-dead": 5, "dead-letters/intake-bulk-dead": 5},
        may_ring=("ingestion-stuck",),
        causes=("dead-letters",),
        side_causes=("function-crashing",),
        clear_min=3,
        parts=frozenset({"flow", "intake", "intake-bulk", "interactive", "backfill"}),
    ),
    Drill(
        name="announcer-crash",
        breaks="the announcer is killed whenever it holds changes of documents",
        felt="uploaders are not told what became of their files; small files are searchable as ever",
        fault=lambda: Held(("crash", "announcer")),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=6),),
        rings={"announcements-stuck": 8},
        causes=("announcements-stuck",),
        side_causes=("function-crashing",),
        clear_min=5,
        # Without events of the intake there is nothing to announce.
        parts=frozenset({"announcer", "intake"}),
    ),
    Drill(
        name="poison-file",
        breaks="files arrive that cannot be read: cut off, damaged, locked with a password",
        felt="each of them is REJECTED with a reason; other files are not held up",
        fault=NoFault,
        traffic=(Rate(kind=Kind.POISON, per_minute=12),),
        rings={"documents-rejected": 6},
        causes=("documents-rejected",),
        # Five minutes are judged together, and again when the next five have no file in them.
        clear_min=12,
        settle_min=6,
        parts=frozenset({"flow", "intake", "interactive"}),
        stages=EVERYWHERE,
    ),
    Drill(
        name="ingestion-stop",
        breaks="intake and the interactive lane feed nobody while files arrive",
        felt="new files do not become searchable; searches work",
        fault=lambda: Retried(
            SourcesDisabled(("interactive", "intake")),
            Impatient(("interactive", "intake"), visibility_min=2.0),
        ),
        traffic=(Rate(kind=Kind.SMALL_FILE, per_minute=4),),
        rings={"ingestion-stuck/interactive": 9, "ingestion-stuck/intake": 9},
        causes=("ingestion-paused",),
        side_causes=("queue-flooded",),
        clear_min=8,
        parts=frozenset({"intake", "interactive"}),
        can_keep=True,
        stages=LOCAL_AND_DEV,
        refusal="everybody's uploads would wait",
        needs=WHOLE,
    ),
    Drill(
        name="queue-flood",
        breaks="a tenant uploads 160 files at once",
        felt="its files become searchable late; other tenants and searches are not held up",
        fault=lambda: Flooded(160),
        traffic=(),
        rings={},
        may_ring=("ingestion-stuck",),
        causes=("queue-flooded",),
        clear_min=15,
        parts=frozenset({"flow", "intake", "intake-bulk", "interactive", "backfill"}),
        needs=WHOLE,
    ),
)
