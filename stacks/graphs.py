"""The rows of the dashboard: which alarms and which graphs stand together, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haylift.domain.documents import DocumentState, Lane
from haylift.domain.search import CacheLevel, SearchMode
from haylift.telemetry import Dimension, Metric

from functions.dispatch.contract import BULK_INTAKE, INTAKE
from stacks.alarms.callers import SEARCHED
from stacks.alarms.parts import AwsMetric, Part, Series
from stacks.alarms.watches import ours

MISS = "miss"
QUESTION = "question"
QUEUES = (INTAKE, BULK_INTAKE, *(lane.value for lane in Lane))
TASKS = ("embed", "rerank")
AUTHORIZER = "authorizer"
DEGRADED = ("no_embeddings", "no_rerank", "keyword_only")
DEPENDENCIES = ("index", "cache", "model_endpoint", "tables")


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Lines by their labels."""

    title: str
    lines: Mapping[str, Series]
    is_stacked: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A title, the question that the row answers, its alarms and its graphs."""

    title: str
    question: str
    alarms: tuple[str, ...]
    graphs: tuple[Graph, ...]


def rows(functions: Sequence[str]) -> tuple[Row, ...]:
    """All rows, top to bottom; each alarm of the catalogue stands in exactly one."""
    return (_callers(), _search(), _model(), _ingestion(), _queues(), _functions(functions))


def _callers() -> Row:
    api: dict[Dimension | Part, str] = {Part.API: "api", Part.API_STAGE: "api"}
    return Row(
        title="What users feel",
        question="Do answers come, are they in time, and does the system itself get one?",
        alarms=("search-errors", "search-slow", "api-errors", "heartbeat"),
        graphs=(
            Graph(
                title="Requests a minute",
                lines={e: ours(Metric.REQUEST_FAILURES, "SampleCount", endpoint=e) for e in SEARCHED},
                is_stacked=True,
            ),
            Graph(
                title="Requests at the gateway a minute",
                lines={
                    "all": Series(metric=AwsMetric.GATEWAY_REQUESTS, statistic="Sum", dimensions=api),
                    "4xx": Series(metric=AwsMetric.GATEWAY_REFUSALS, statistic="Sum", dimensions=api),
                    "5xx": Series(metric=AwsMetric.GATEWAY_FAILURES, statistic="Sum", dimensions=api),
                },
            ),
            Graph(
                title="p50 and p95 of searches and questions (s)",
                lines={
                    f"{endpoint} {statistic}": ours(Metric.REQUEST_DURATION, statistic, endpoint=endpoint)
                    for endpoint in ("/v1/search", "/v1/query")
                    for statistic in ("p50", "p95")
                },
            ),
        ),
    )


def _search() -> Row:
    kinds = [*(mode.value for mode in SearchMode), QUESTION]
    return Row(
        title="Search and cache",
        question="What is asked, what is found, and how much of it is computed anew?",
        alarms=("index-unhealthy", "index-drift", "cache-unhealthy"),
        graphs=(
            Graph(
                title="Searches by kind and result",
                lines={
                    f"{kind} {found}": ours(
                        Metric.SEARCH_QUERIES, "Sum", query_type=kind, has_results=value
                    )
                    for kind in kinds
                    for found, value in (("found", "true"), ("nothing", "false"), ("error", "error"))
                },
                is_stacked=True,
            ),
            Graph(
                title="Cache hits (ratio)", lines={"hits": ours(Metric.CACHE_HIT_RATIO, "Average")}
            ),
            Graph(
                title="Cache lookups by level",
                lines={
                    level: ours(Metric.CACHE_LOOKUPS, "Sum", level=level)
                    for level in (*(level.value for level in CacheLevel), MISS)
                },
                is_stacked=True,
            ),
            Graph(
                title="Refused by a limit, or shed",
                lines={
                    "search limit": ours(Metric.RATE_LIMITED, "Sum", limit="search"),
                    "login limit": ours(Metric.RATE_LIMITED, "Sum", limit="login"),
                    "shed": ours(Metric.LOAD_SHED, "Sum"),
                },
            ),
        ),
    )  # fmt: skip


def _model() -> Row:
    return Row(
        title="Model endpoint",
        question="Does it answer, how fast, and what do answers lose without it?",
        alarms=("model-endpoint-failing",),
        graphs=(
            Graph(
                title="p95 of a call (s)",
                lines={task: ours(Metric.MODEL_DURATION, "p95", task=task) for task in TASKS},
            ),
            Graph(
                title="Calls a minute",
                lines={task: ours(Metric.MODEL_FAILURES, "SampleCount", task=task) for task in TASKS},
                is_stacked=True,
            ),
            Graph(
                title="Degraded answers a minute",
                lines={reason: ours(Metric.DEGRADED_ANSWERS, "Sum", reason=reason) for reason in DEGRADED},
                is_stacked=True,
            ),
            Graph(
                title="Parts that answer the heartbeat",
                lines={
                    name: ours(Metric.DEPENDENCY_HEALTHY, "Minimum", dependency=name) for name in DEPENDENCIES
                },
            ),
        ),
    )


def _ingestion() -> Row:
    finished = (DocumentState.SEARCHABLE, DocumentState.REJECTED, DocumentState.DELETED)
    return Row(
        title="Ingestion",
        question="Do uploads become searchable, and how soon?",
        alarms=("documents-rejected",),
        graphs=(
            Graph(
                title="Documents finished a minute",
                lines={state.value: ours(Metric.DOCUMENTS, "Sum", state=state.value) for state in finished},
                is_stacked=True,
            ),
            Graph(
                title="p95 from upload to searchable (s)",
                lines={
                    lane.value: ours(Metric.SEARCHABLE_AFTER, "p95", lane=lane.value) for lane in Lane
                },
            ),
            Graph(
                title="Searchable documents", lines={"documents": ours(Metric.DOCUMENTS_STORED, "Maximum")}
            ),
        ),
    )  # fmt: skip


def _queues() -> Row:
    return Row(
        title="Queues",
        question="Is work waiting, for how long, and was any given up?",
        alarms=("ingestion-stuck", "dead-letters", "announcements-stuck"),
        graphs=(
            Graph(
                title="Messages that wait",
                lines={
                    queue: Series(
                        metric=AwsMetric.QUEUE_DEPTH, statistic="Maximum", dimensions={Part.QUEUE: queue}
                    )
                    for queue in QUEUES
                },
                is_stacked=True,
            ),
        ),
    )


def _functions(functions: Sequence[str]) -> Row:
    def by_function(metric: AwsMetric, statistic: str, *, without: str = "") -> dict[str, Series]:
        return {
            name: Series(metric=metric, statistic=statistic, dimensions={Part.FUNCTION: name})
            for name in functions
            if name != without
        }

    return Row(
        title="Functions",
        question="Is any of them refused, crashing or slow?",
        alarms=("functions-throttled",),
        graphs=(
            Graph(
                title="Invocations a minute",
                lines=by_function(AwsMetric.INVOCATIONS, "Sum"),
                is_stacked=True,
            ),
            Graph(
                title="Crashes a minute",
                # Lambda counts its refusals as errors; when it crashes, the gateway answers 5xx.
                lines=by_function(AwsMetric.CRASHES, "Sum", without=AUTHORIZER),
            ),
            Graph(title="p95 of duration (ms)", lines=by_function(AwsMetric.DURATION, "p95")),
        ),
    )
