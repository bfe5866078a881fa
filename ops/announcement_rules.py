"""Rules about what follows a change of a document: tags, events, fresh orders."""

from ops.diagnosis import OPS, Cause, Severity, of
from ops.measurements import AwsMetric
from ops.sources import ANNOUNCER
from ops.state import Snapshot

LATE_S = 60.0
"""Half of what rings: whoever asks before the alarm gets the answer."""


def announcements_stuck(snapshot: Snapshot) -> Cause | None:
    """The ledger's stream is not worked off: its oldest batch is old now."""
    name = f"haylift-{snapshot.stage}-{ANNOUNCER}"
    found = snapshot.measurements
    at_s = found.newest_at_s(AwsMetric.STREAM_AGE, "Maximum", FunctionName=name)
    age_s = (found.newest(AwsMetric.STREAM_AGE, "Maximum", FunctionName=name) or 0.0) / 1000
    if at_s is None or at_s < snapshot.newest_minute_s or age_s < LATE_S:
        return None
    errors = found.total(AwsMetric.FUNCTION_ERRORS, FunctionName=name)
    calls = found.total(AwsMetric.INVOCATIONS, FunctionName=name)
    return Cause(
        name="announcements-stuck",
        severity=Severity.DEGRADED,
        felt="Searches and uploads work, but uploaders are told late and long documents stand",
        because=f"changes wait for {age_s:,.0f} s, the announcer failed {of(errors, calls)} times",
        runbook="announcements-stuck",
        evidence=(f"the newest change of the batch that was sent last is {age_s:,.0f} s old",),
        commands=(f"{OPS} logs announcer --minutes 5",),
    )
