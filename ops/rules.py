"""All rules of the diagnosis, the cause that explains others before those that it explains."""

from ops import announcement_rules as announcements
from ops import answer_rules as answers
from ops import dependency_rules as dependencies
from ops import drift_rules as drift
from ops import flow_rules as flow
from ops import function_rules as functions
from ops.diagnosis import Rule

RULES: tuple[Rule, ...] = (
    dependencies.signing_key_unusable,
    dependencies.tables_down,
    dependencies.index_down,
    dependencies.index_partly_down,
    dependencies.model_down,
    dependencies.model_slow,
    dependencies.index_refuses_writes,
    drift.index_drift,
    flow.ingestion_paused,
    flow.lanes_gated,
    flow.functions_throttled,
    dependencies.cache_down,
    dependencies.tokens_refused,
    flow.load_is_shed,
    flow.keywords_only,
    announcements.announcements_stuck,
    flow.documents_rejected,
    flow.dead_letters,
    flow.queue_flooded,
    functions.authorizer_failing,
    functions.functions_crashing,
    answers.errors_of_unknown_cause,
    answers.answers_slow,
    answers.api_silent,
    answers.health_slow,
    flow.heartbeat_silent,
)
