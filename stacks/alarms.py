"""The catalogue of alarms: a symptom each, what is watched for it, and the runbook of the same name.

A metric of ours comes only from the registry; one of AWS's only from `AwsMetric`. What the alarm says to the
person on call is taken from its runbook.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from haylift.telemetry import Dimension, Metric

from stacks.layer_recipe import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
MAX_DESCRIPTION_CHARS = 1024
"""CloudWatch's limit."""


class AwsMetric(Enum):
    """The metrics of AWS that alarms watch: namespace and name."""

    GATEWAY_FAILURES = ("AWS/ApiGateway", "5XXError")
    QUEUE_AGE = ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    QUEUE_DEPTH = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")


class Part(Enum):
    """What a dimension of AWS's names: the physical name is known when the stack is made."""

    API = "ApiName"
    API_STAGE = "Stage"
    QUEUE = "QueueName"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One metric that shows the symptom.

    Args:
        variant: tells the watches of one symptom apart; empty when there is one.
        dimensions: of a metric of ours, by its value; of AWS's, by the queue's name.
        statistic: as CloudWatch writes it, for example `Sum` or `p95`.
        threshold: the alarm rings above it.
    """

    metric: Metric | AwsMetric
    statistic: str
    threshold: float
    variant: str = ""
    dimensions: Mapping[Dimension | Part, str]


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """A symptom. It rings when `breaching` of `periods` minutes breach; minutes without data are quiet."""

    name: str
    watches: tuple[Watch, ...]
    periods: int
    breaching: int


def _queue(metric: AwsMetric, queue: str, threshold: float) -> Watch:
    return Watch(
        metric=metric, statistic="Maximum", threshold=threshold, variant=queue, dimensions={Part.QUEUE: queue}
    )


def _route_p95(route: str, variant: str, threshold_s: float) -> Watch:
    return Watch(
        metric=Metric.REQUEST_DURATION,
        statistic="p95",
        threshold=threshold_s,
        variant=variant,
        dimensions={Dimension.ENDPOINT: route},
    )


def _embed_calls(outcome: str) -> Watch:
    return Watch(
        metric=Metric.MODEL_CALLS,
        statistic="Sum",
        # A single lost call is repeated by its caller and felt by nobody.
        threshold=2,
        variant=outcome,
        dimensions={Dimension.TASK: "embed", Dimension.OUTCOME: outcome},
    )


CATALOGUE = (
    AlarmSpec(
        name="search-errors",
        # Five failures a minute: fewer are one bad request repeated, and burn a month's 0.1 % slowly.
        watches=(
            Watch(
                metric=AwsMetric.GATEWAY_FAILURES,
                statistic="Sum",
                threshold=4,
                dimensions={Part.API: "api", Part.API_STAGE: "api"},
            ),
        ),
        periods=3,
        breaching=2,
    ),
    AlarmSpec(
        name="search-slow",
        # The production guides recommend action above 2 s; a question may also rerank sentences.
        watches=(_route_p95("/v1/search", "search", 2.0), _route_p95("/v1/query", "query", 10.0)),
        periods=5,
        breaching=3,
    ),
    AlarmSpec(
        name="ingestion-stuck",
        # One unfinished message comes back after 720 s; older means that nothing is being finished.
        watches=(
            _queue(AwsMetric.QUEUE_AGE, "intake", 900),
            _queue(AwsMetric.QUEUE_AGE, "interactive", 900),
        ),
        periods=3,
        breaching=3,
    ),
    AlarmSpec(
        name="dead-letters",
        watches=tuple(
            _queue(AwsMetric.QUEUE_DEPTH, f"{queue}-dead", 0)
            for queue in ("intake", "interactive", "backfill")
        ),
        periods=1,
        breaching=1,
    ),
    AlarmSpec(
        name="model-endpoint-failing",
        watches=(_embed_calls("unavailable"), _embed_calls("timeout"), _embed_calls("failed")),
        periods=3,
        breaching=2,
    ),
)


def description_of(alarm: str) -> str:
    """What the person on call reads first: the runbook's symptom and its first three commands.

    Raises:
        ValueError: when the runbook is missing, has no such parts, or is too long for CloudWatch.
    """
    runbook = RUNBOOKS / f"{alarm}.md"
    if not runbook.is_file():
        raise ValueError(f"The alarm {alarm} needs a runbook: docs/runbooks/{alarm}.md.")
    text = runbook.read_text(encoding="utf-8")
    symptom = re.search(r"^## Symptom\n+(.+?)\n\n", text, re.MULTILINE | re.DOTALL)
    commands = re.search(r"^## First three commands\n+```bash\n(.+?)```", text, re.MULTILINE | re.DOTALL)
    lines = [
        line for line in (commands.group(1) if commands else "").splitlines() if line[:1] not in {"", "#"}
    ]
    if symptom is None or len(lines) != 3:
        raise ValueError(
            f"{runbook.name} needs `## Symptom` and `## First three commands` with three commands."
        )
    numbered = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
    description = "\n".join(
        [" ".join(symptom.group(1).split()), *numbered, f"Runbook: docs/runbooks/{alarm}.md"]
    )
    if len(description) > MAX_DESCRIPTION_CHARS:
        raise ValueError(
            f"{runbook.name}: {len(description)} characters do not fit into an alarm's description."
        )
    return description
