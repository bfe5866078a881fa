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

    ROUTE = "route"
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
    SEARCH_QUERIES = "haystack_search_queries_total"
    INDEXING_DURATION = "haystack_indexing_duration_seconds"
    CACHE_LOOKUPS = "cache_lookups"
    MODEL_CALLS = "model_calls"
    MODEL_DURATION = "model_duration_seconds"
    DEGRADED_ANSWERS = "degraded_answers"
    DOCUMENTS = "documents_finished"
    DOCUMENTS_REJECTED = "documents_rejected"
    EVENTS_CLAIMED = "object_events"


SHAPES: dict[Metric, MetricShape] = {
    Metric.REQUESTS: _shape(Unit.COUNT, Dimension.METHOD, Dimension.ROUTE, Dimension.STATUS),
    Metric.REQUEST_DURATION: _shape(Unit.SECONDS, Dimension.ROUTE),
    Metric.SEARCH_QUERIES: _shape(Unit.COUNT, Dimension.QUERY_TYPE, Dimension.HAS_RESULTS),
    Metric.INDEXING_DURATION: _shape(Unit.SECONDS, Dimension.LANE),
    Metric.CACHE_LOOKUPS: _shape(Unit.COUNT, Dimension.LEVEL),
    Metric.MODEL_CALLS: _shape(Unit.COUNT, Dimension.TASK, Dimension.OUTCOME),
    Metric.MODEL_DURATION: _shape(Unit.SECONDS, Dimension.TASK),
    Metric.DEGRADED_ANSWERS: _shape(Unit.COUNT, Dimension.REASON),
    Metric.DOCUMENTS: _shape(Unit.COUNT, Dimension.STATE),
    Metric.DOCUMENTS_REJECTED: _shape(Unit.COUNT, Dimension.REASON),
    Metric.EVENTS_CLAIMED: _shape(Unit.COUNT, Dimension.OUTCOME),
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
