"""What each metric says to a reader of the metrics page, and how its values are taken together."""

from haylift.telemetry import Metric

BUCKETS_S: dict[Metric, tuple[float, ...]] = {
    Metric.REQUEST_DURATION: (0.1, 0.5, 1, 2, 5, 10, 30),
    Metric.INDEXING_DURATION: (1, 5, 10, 30, 60, 300),
}
"""Upper bounds of the histograms, in seconds: those of Haystack's production guides."""

MEANS = frozenset({Metric.CACHE_HIT_RATIO, Metric.USER_RATING, Metric.DEPENDENCY_HEALTHY, Metric.LANE_OPEN})
"""Shown as the mean of the minute; without a value in it they are not shown."""

LAST_KNOWN = frozenset({Metric.DOCUMENTS_STORED})
"""A level that somebody measures: shown is its last known value."""

MINUTE = "in the last full minute"

MEANINGS: dict[Metric, str] = {
    Metric.REQUESTS: f"HTTP requests {MINUTE}, by method, route and status.",
    Metric.REQUEST_DURATION: f"How long the functions took for the requests {MINUTE}.",
    Metric.REQUEST_FAILURES: f"Requests answered with 500 or above, a batch by its share of them, {MINUTE}.",
    Metric.SEARCH_QUERIES: f"Searches and questions {MINUTE}, by kind and whether they found something.",
    Metric.INDEXING_DURATION: f"How long indexing took for the documents that ended {MINUTE}.",
    Metric.DOCUMENTS_STORED: "Searchable documents of all tenants, as last counted.",
    Metric.CACHE_HIT_RATIO: f"Share of lookups {MINUTE} that some cache level answered, 0 to 1.",
    Metric.CACHE_LOOKUPS: f"Cache lookups {MINUTE}, by the level that answered.",
    Metric.MODEL_CALLS: f"Calls of the model endpoint {MINUTE}, by task and outcome.",
    Metric.MODEL_FAILURES: f"Calls of the model endpoint {MINUTE} that ended without an answer.",
    Metric.MODEL_DURATION: f"How long calls of the model endpoint took {MINUTE}.",
    Metric.DEGRADED_ANSWERS: f"Answers {MINUTE} that are less than they could be, by reason.",
    Metric.DOCUMENTS: f"Documents whose indexing ended {MINUTE}, by state.",
    Metric.DOCUMENTS_REJECTED: f"Documents rejected {MINUTE}, by reason.",
    Metric.DOCUMENT_REJECTIONS: f"Documents rejected {MINUTE}.",
    Metric.SEARCHABLE_AFTER: f"From upload to searchable, for the documents that became so {MINUTE}.",
    Metric.ANNOUNCED_AFTER: f"From a change of a document's state to its tags and event, {MINUTE}.",
    Metric.INDEX_WRITE_FAILURES: f"Writes that the index refused {MINUTE}.",
    Metric.INDEX_DRIFT: "Documents and counts that the last whole reconcile found wrong.",
    Metric.DRIFT_FOUND: "What the last whole reconcile found, by kind.",
    Metric.DRIFT_REPAIRED: "What the last whole reconcile repaired, by kind.",
    Metric.SWEPT: f"What sweeps took away or sent again {MINUTE}, by kind.",
    Metric.EVENTS_CLAIMED: f"Object events {MINUTE}, by what became of them.",
    Metric.HEARTBEATS: f"Heartbeat searches {MINUTE}, by outcome.",
    Metric.HEARTBEAT_DURATION: f"How long heartbeat searches took {MINUTE}.",
    Metric.DEPENDENCY_HEALTHY: f"1 when the part answered the probes {MINUTE}, 0 when it did not.",
    Metric.USER_RATING: f"Mean rating of users {MINUTE}, 1 to 5.",
    Metric.RATE_LIMITED: f"Requests refused by a rate limit {MINUTE}.",
    Metric.RATE_LIMIT_FALLBACKS: f"Requests {MINUTE} whose limit was counted in the process alone.",
    Metric.LOAD_SHED: f"Requests shed by an operator's flag {MINUTE}.",
    Metric.LOGINS: f"Logins {MINUTE}, by outcome.",
    Metric.GATE_PROBES: f"Questions of the gate to a suspected model endpoint {MINUTE}, by outcome.",
    Metric.LANE_OPEN: f"1 when the lane was open {MINUTE}, 0 when it was closed.",
}
"""The text of `# HELP`. Every value is of one minute: add them up with `sum_over_time`, never with `rate`."""
