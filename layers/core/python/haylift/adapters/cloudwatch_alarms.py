"""What rings, as CloudWatch says."""

from typing import Any

from haylift.adapters.aws import translated


class CloudWatchAlarms:
    """Implements `Alarms` over all alarms whose names begin with a prefix.

    Args:
        client: a `cloudwatch` client.
    """

    def __init__(self, prefix: str, client: Any) -> None:
        self._prefix = prefix
        self._client = client

    def are_ringing(self) -> bool:
        """True while one of them is in state ALARM."""
        with translated("alarms"):
            found = self._client.describe_alarms(AlarmNamePrefix=self._prefix)
        return any(alarm["StateValue"] == "ALARM" for alarm in found["MetricAlarms"])
