"""When a metric alarm is in which state: M of N datapoints, missing data. Pure functions.

Source: "Configuring how CloudWatch alarms treat missing data", whose tables are the test.
"""

from collections.abc import Callable, Sequence
from operator import ge, gt, le, lt

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
    "LessThanThreshold": lt,
    "LessThanOrEqualToThreshold": le,
}
# CloudWatch looks further back than the evaluation periods before it calls data missing.
EXTRA_PERIODS = 2


def next_state(
    datapoints: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str, state: str
) -> str:  # fmt: skip
    """The state after one evaluation.

    Args:
        datapoints: Oldest first, `periods + EXTRA_PERIODS` of them: breaching or not, None where no data.
        periods: N, the evaluation periods.
        to_alarm: M, the datapoints that must breach.
        missing: `missing`, `ignore`, `breaching` or `notBreaching`.
        state: The state before, which `ignore` keeps.
    """
    present = [point for point in datapoints if point is not None][-periods:]
    absent, breaching = periods - len(present), sum(present)
    if breaching >= to_alarm:
        return ALARM
    if not present:
        return {"missing": INSUFFICIENT, "ignore": state, "breaching": ALARM}.get(missing, OK)
    if missing == "breaching":
        return ALARM if breaching + absent >= to_alarm else OK
    is_all_breaching = breaching == len(present)
    if missing == "missing":
        return ALARM if is_all_breaching else OK
    return state if missing == "ignore" and is_all_breaching else OK
