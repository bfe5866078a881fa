"""The one registry of metrics: names, units and dimensions. Nothing else makes a metric.

A tenant is never a dimension: every combination of dimensions is a paid metric, and 500 tenants
turned 15 streams into 7,494.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

NAMESPACE = "Haylift"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request under way; every log line carries it."""


class Unit(StrEnum):
    """CloudWatch's units."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    BYTES = "Bytes"
    NONE = "None"


class Dimension(StrEnum):
    """All dimensions there are; each has few values."""

    ENDPOINT = "endpoint"
    METHOD = "method"
    STATUS = "status"
    QUERY_TYPE = "query_type"
    HAS_RESULTS = "has_results"
    LEVEL = "level"
    TASK = "task"
    OUTCOME = "outcome"
    STATE = "state"
    REASON = "reason"
    LANE = "lane"
    DEPENDENCY = "dependency"
    KIND = "kind"
    LIMIT = "limit"


@dataclass(frozen=True)
class MetricShape:
    """A metric's unit and the dimensions it must be given."""

    unit: Unit
    dimensions: frozenset[Dimension]


def _shape(unit: Unit, *dimensions: Dimension) -> MetricShape:
    return MetricShape(unit, frozenset(dimensions))


class Metric(Enum):
    """Every metric; the value is its name in CloudWatch, the shape stands in `SHAPES`."""

    REQUESTS = "haystack_requests_total"
    REQUEST_DURATION = "haystack_request_duration_seconds"
    REQUEST_FAILURES = "request_failures"
    SEARCH_QUERIES = "haystack_search_queries_total"
    INDEXING_DURATION = "haystack_indexing_duration_seconds"
    DOCUMENTS_STORED = "haystack_documents_total"
    CACHE_HIT_RATIO = "haystack_cache_hit_ratio"
    CACHE_LOOKUPS = "cache_lookups"
    MODEL_CALLS = "model_calls"
    MODEL_FAILURES = "model_failures"
    MODEL_DURATION = "model_duration_seconds"
    DEGRADED_ANSWERS = "degraded_answers"
    DOCUMENTS = "documents_finished"
    DOCUMENTS_REJECTED = "documents_rejected"
    DOCUMENT_REJECTIONS = "document_rejections"
    SEARCHABLE_AFTER = "searchable_after_seconds"
    ANNOUNCED_AFTER = "announced_after_seconds"
    INDEX_WRITE_FAILURES = "index_write_failures"
    INDEX_DRIFT = "index_drift"
    DRIFT_FOUND = "drift_found"
    DRIFT_REPAIRED = "drift_repaired"
    SWEPT = "swept_items"
    EVENTS_CLAIMED = "object_events"
    HEARTBEATS = "heartbeat_searches"
    HEARTBEAT_DURATION = "heartbeat_duration_seconds"
    DEPENDENCY_HEALTHY = "dependency_healthy"
    USER_RATING = "user_rating"
    RATE_LIMITED = "rate_limited_requests"
    RATE_LIMIT_FALLBACKS = "rate_limit_fallbacks"
    LOAD_SHED = "shed_requests"
    LOGINS = "logins"
    GATE_PROBES = "gate_probes"
    LANE_OPEN = "lane_open"


SHAPES: dict[Metric, MetricShape] = {
    Metric.REQUESTS: _shape(Unit.COUNT, Dimension.METHOD, Dimension.ENDPOINT, Dimension.STATUS),
    Metric.REQUEST_DURATION: _shape(Unit.SECONDS, Dimension.ENDPOINT),
    # 1 for an answer of 500 and above, 0 for any other, of a batch the share of its searches that ended so:
    # the average is the error ratio, the sample count the volume.
    Metric.REQUEST_FAILURES: _shape(Unit.COUNT, Dimension.ENDPOINT),
    Metric.SEARCH_QUERIES: _shape(Unit.COUNT, Dimension.QUERY_TYPE, Dimension.HAS_RESULTS),
    Metric.INDEXING_DURATION: _shape(Unit.SECONDS, Dimension.LANE),
    # A gauge: searchable documents of all tenants, written by the heartbeat.
    Metric.DOCUMENTS_STORED: _shape(Unit.COUNT),
    # 1 for a hit on any level, 0 for a miss: the average is the ratio.
    Metric.CACHE_HIT_RATIO: _shape(Unit.NONE),
    Metric.CACHE_LOOKUPS: _shape(Unit.COUNT, Dimension.LEVEL),
    Metric.MODEL_CALLS: _shape(Unit.COUNT, Dimension.TASK, Dimension.OUTCOME),
    # 1 for a call that ended without an answer, 0 for an answered one; back-pressure counts as answered.
    Metric.MODEL_FAILURES: _shape(Unit.COUNT, Dimension.TASK),
    Metric.MODEL_DURATION: _shape(Unit.SECONDS, Dimension.TASK),
    Metric.DEGRADED_ANSWERS: _shape(Unit.COUNT, Dimension.REASON),
    Metric.DOCUMENTS: _shape(Unit.COUNT, Dimension.STATE),
    Metric.DOCUMENTS_REJECTED: _shape(Unit.COUNT, Dimension.REASON),
    # 1 for a rejected document, 0 for a searchable one: the average is the ratio.
    Metric.DOCUMENT_REJECTIONS: _shape(Unit.COUNT),
    # From S3's event time to SEARCHABLE: what an uploader waits.
    Metric.SEARCHABLE_AFTER: _shape(Unit.SECONDS, Dimension.LANE),
    # From a change of a document's state to its tags and event.
    Metric.ANNOUNCED_AFTER: _shape(Unit.SECONDS),
    # 1 for a write that the index refused, 0 for one it took.
    Metric.INDEX_WRITE_FAILURES: _shape(Unit.COUNT),
    # A gauge, written by each whole reconcile: what it found that nobody should ever see.
    Metric.INDEX_DRIFT: _shape(Unit.COUNT),
    # By kind of drift (`domain/drift.py`), 0 included, once for each whole reconcile.
    Metric.DRIFT_FOUND: _shape(Unit.COUNT, Dimension.KIND),
    Metric.DRIFT_REPAIRED: _shape(Unit.COUNT, Dimension.KIND),
    # By what it was: kinds of chunks, `texts`, `quarantine`, and orders `resent`.
    Metric.SWEPT: _shape(Unit.COUNT, Dimension.KIND),
    Metric.EVENTS_CLAIMED: _shape(Unit.COUNT, Dimension.OUTCOME),
    Metric.HEARTBEATS: _shape(Unit.COUNT, Dimension.OUTCOME),
    Metric.HEARTBEAT_DURATION: _shape(Unit.SECONDS),
    # 1 when the part answered the heartbeat's probe, else 0.
    Metric.DEPENDENCY_HEALTHY: _shape(Unit.NONE, Dimension.DEPENDENCY),
    # 1 to 5, by kind of what was rated: `answer` or `search`.
    Metric.USER_RATING: _shape(Unit.NONE, Dimension.KIND),
    # By limit: `login`, `refresh`, `search` or `feedback`.
    Metric.RATE_LIMITED: _shape(Unit.COUNT, Dimension.LIMIT),
    # Requests that one process counted for itself, because the shared counter did not answer.
    Metric.RATE_LIMIT_FALLBACKS: _shape(Unit.COUNT, Dimension.LIMIT),
    Metric.LOAD_SHED: _shape(Unit.COUNT),
    # By outcome: `granted`, `refused` or `limited`.
    Metric.LOGINS: _shape(Unit.COUNT, Dimension.OUTCOME),
    # The gate's questions to the model endpoint while it suspects it, by outcome: `ok` or `failed`.
    Metric.GATE_PROBES: _shape(Unit.COUNT, Dimension.OUTCOME),
    # A gauge, once a minute: 1 while the lane's messages are worked on, 0 while it is closed.
    Metric.LANE_OPEN: _shape(Unit.NONE, Dimension.LANE),
}


class Telemetry(Protocol):
    """Where metrics go; an adapter writes them in the embedded metric format."""

    def record(self, metric: Metric, value: float, **dimensions: str) -> None:
        """Records one value.

        Raises:
            ValueError: when the dimensions are not exactly those of the metric's shape.
        """


def checked_dimensions(metric: Metric, dimensions: dict[str, str]) -> dict[str, str]:
    """The dimensions in a fixed order.

    Raises:
        ValueError: when they are not exactly those of the metric's shape.
    """
    expected = {dimension.value for dimension in SHAPES[metric].dimensions}
    if dimensions.keys() != expected:
        raise ValueError(f"{metric.value} takes the dimensions {sorted(expected)}, not {sorted(dimensions)}")
    return {name: dimensions[name] for name in sorted(expected)}
