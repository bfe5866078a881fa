"""What uploaders are told, and who hands documents on: the ledger's stream."""

from stacks.alarms.parts import AlarmSpec, AwsMetric, Part, Series, Severity, Watch
from stacks.announcements import ANNOUNCER

TOLD_WITHIN_S = 120
"""A change is told within seconds; a batch that fails once or twice is told within a minute."""


def announcements_stuck() -> AlarmSpec:
    """Changes of the ledger grow old before they are told."""
    return AlarmSpec(
        name="announcements-stuck",
        severity=Severity.TICKET,
        fired_by="Every process of the announcer is killed while it works, and files are uploaded.",
        watches=(
            Watch(
                series={
                    "age": Series(
                        metric=AwsMetric.STREAM_AGE,
                        statistic="Maximum",
                        dimensions={Part.FUNCTION: ANNOUNCER.name},
                    )
                },
                threshold=TOLD_WITHIN_S * 1000,
                # One old batch is what a short outage left.
                periods=3,
                breaching=3,
            ),
        ),
    )
