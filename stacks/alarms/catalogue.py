"""The catalogue of alarms: each symptom, what shows it, how long it must last, and which fault makes it ring.

Ratios are judged only from a minimum volume on: of three requests one is not "33 % of all users". An
objective of 99.9 % leaves 0.1 % of a month; a page comes when it burns 14.4 times as fast, which is 2 % of
the month in an hour (Site Reliability Workbook, chapter 5).
"""

from collections.abc import Sequence

from stacks.alarms.announcements import announcements_stuck
from stacks.alarms.callers import api_errors, heartbeat, search_errors, search_slow
from stacks.alarms.dependencies import (
    cache_unhealthy,
    functions_throttled,
    index_unhealthy,
    model_endpoint_failing,
)
from stacks.alarms.drift import index_drift
from stacks.alarms.parts import AlarmSpec
from stacks.alarms.uploads import dead_letters, documents_rejected, ingestion_stuck
from stacks.environment import Environment


def catalogue(environment: Environment, functions: Sequence[str]) -> tuple[AlarmSpec, ...]:
    """Every symptom of a stage.

    Args:
        functions: names of all functions of the stage.
    """
    return (
        search_errors(),
        search_slow(),
        api_errors(),
        ingestion_stuck(environment),
        dead_letters(),
        announcements_stuck(),
        model_endpoint_failing(),
        documents_rejected(),
        functions_throttled(functions),
        index_unhealthy(environment),
        index_drift(),
        cache_unhealthy(),
        heartbeat(),
    )
