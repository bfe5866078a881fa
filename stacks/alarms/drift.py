"""What a reconcile finds: the index is not what the bucket is."""

from haylift.telemetry import Metric

from stacks.alarms.parts import AlarmSpec, Missing, Severity, Watch
from stacks.alarms.watches import ours


def index_drift() -> AlarmSpec:
    """Bucket, ledger and index do not say the same of a document."""
    return AlarmSpec(
        name="index-drift",
        severity=Severity.TICKET,
        fired_by="A document's row is changed by hand, so that it says more chunks than the index holds.",
        watches=(
            Watch(
                series={"drift": ours(Metric.INDEX_DRIFT, "Maximum")},
                threshold=0,
                periods=1,
                breaching=1,
                # Only a whole run says something; until the next one what the last one found is still so.
                missing=Missing.KEEP,
            ),
        ),
    )
