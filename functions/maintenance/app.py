"""Tells the clock's tasks from an operator's."""

import logging
from collections.abc import Mapping
from typing import Any

from haylift.resilience import Deadline
from haylift.services.maintenance import RECONCILE, RETENTION, SWEEP, MaintenanceService, ReconcileRequest

logger = logging.getLogger("haylift.maintenance")

ANSWER_RESERVE_S = 5.0
"""Kept back from the function's own time-out, to note the place and to answer."""

ASKED_S = 20.0
"""An operator's call ends after so long, so that there is something to show."""


def consume(
    event: Mapping[str, Any], service: MaintenanceService, *, remaining_s: float
) -> Mapping[str, Any]:
    """Goes on with the task that the event names.

    Raises:
        StoreUnavailable: the next event goes on where this one began.
        InvalidInput: `invalid_request`; a retry does not help.
    """
    deadline = Deadline.after(remaining_s - ANSWER_RESERVE_S)
    source = str(event.get("source", ""))
    match source.removeprefix("haylift."):
        case "sweep":
            return _logged(SWEEP, service.sweep(deadline))
        case "retention":
            return _logged(RETENTION, service.retain(deadline))
        case "reconcile":
            return _logged(RECONCILE, service.reconcile_in_time(deadline))
        case _:
            request = ReconcileRequest.read(event)
            return service.reconcile(request, deadline.within(ASKED_S))


def _logged(task: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = {name: answer[name] for name in ("swept", "expired", "is_whole") if name in answer}
    found = dict(answer["place"]["found"]) if "place" in answer else {}
    logger.info("task went on", extra={"task": task, **shown, "found": found})
    return {"is_whole": answer["is_whole"]}
