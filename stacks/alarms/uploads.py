"""What uploaders feel: files that do not become searchable."""

from haylift.domain.documents import Lane
from haylift.telemetry import Metric

from functions.dispatch.contract import BULK_INTAKE, INTAKE
from stacks.alarms.parts import AlarmSpec, AwsMetric, Missing, Part, Series, Severity, Watch
from stacks.alarms.watches import guarded, ours
from stacks.audit import AUDIT
from stacks.environment import Environment
from stacks.ingestion import INTAKE_VISIBILITY_S

GIVING_UP = (INTAKE, BULK_INTAKE, *(lane.value for lane in Lane), AUDIT.name)
VISIBILITIES = 1.25
"""A message that was given back once is a visibility time-out old; older, and nothing is being finished."""


def _age(queue: str, threshold_s: float, severity: Severity | None = None) -> Watch:
    return Watch(
        variant=queue,
        series={
            "age": Series(
                metric=AwsMetric.QUEUE_AGE, statistic="Maximum", dimensions={Part.QUEUE: queue}
            )
        },
        threshold=threshold_s,
        periods=3,
        breaching=3,
        severity=severity,
    )  # fmt: skip


def ingestion_stuck(environment: Environment) -> AlarmSpec:
    """Messages grow older than anything that is being worked on."""
    lanes = environment.lanes
    return AlarmSpec(
        name="ingestion-stuck",
        severity=Severity.PAGE,
        fired_by="The queue's event source mapping is disabled (ingestion paused), while files are uploaded.",
        watches=(
            _age(INTAKE, INTAKE_VISIBILITY_S * VISIBILITIES),
            _age(Lane.INTERACTIVE.value, lanes.visibility_s * VISIBILITIES),
            # Bulk loads may wait; at half of its life a message that is only given back can still be saved.
            _age(BULK_INTAKE, INTAKE_VISIBILITY_S * lanes.max_receives / 2, Severity.TICKET),
            _age(Lane.BACKFILL.value, lanes.visibility_s * lanes.max_receives / 2, Severity.TICKET),
        ),
    )


def _letters(queue: str) -> Watch:
    depth = Series(
        metric=AwsMetric.QUEUE_DEPTH, statistic="Maximum", dimensions={Part.QUEUE: f"{queue}-dead"}
    )
    return Watch(
        variant=f"{queue}-dead",
        series={"depth": depth},
        threshold=0,
        periods=1,
        breaching=1,
        # SQS reports nothing of a queue that nobody touched for six hours, and the letters are still there.
        missing=Missing.KEEP,
    )


def dead_letters() -> AlarmSpec:
    """A message was given up: of an upload, or with records of the audit."""
    return AlarmSpec(
        name="dead-letters",
        severity=Severity.TICKET,
        fired_by="Workers die with each message of a queue; the audit function is sent what it cannot read.",
        watches=tuple(_letters(queue) for queue in GIVING_UP),
    )


def documents_rejected() -> AlarmSpec:
    """More files than usual cannot be read."""
    minimum = 5
    watch = Watch(
        series={
            "ratio": ours(Metric.DOCUMENT_REJECTIONS, "Average"),
            "n": ours(Metric.DOCUMENT_REJECTIONS, "SampleCount"),
        },
        # A gap is no file: the alarm is over without waiting for the next one.
        expression=guarded("FILL(ratio, 0)", "FILL(n, 0)", minimum),
        threshold=0.2,
        minimum_volume=minimum,
        period_s=300,
        periods=1,
        breaching=1,
    )
    return AlarmSpec(
        name="documents-rejected",
        severity=Severity.TICKET,
        fired_by="Five files or more that no parser can read are uploaded within five minutes.",
        watches=(watch,),
    )
