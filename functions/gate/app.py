"""Tells an alarm from the clock."""

import logging
from collections.abc import Mapping
from typing import Any

from haylift.services.gate import GateService, GateView

from functions.gate.contract import ALARM_SOURCE

logger = logging.getLogger("haylift.gate")


def consume(event: Mapping[str, Any], service: GateService) -> dict[str, str]:
    """One look at the lanes.

    Raises:
        StoreUnavailable: Lambda tries an alarm's event twice more; the clock comes every minute anyway.
    """
    view = service.look(is_alarmed=event.get("source") == ALARM_SOURCE)
    if view is not GateView.OPEN:
        logger.info("lanes looked at", extra={"view": view.value})
    return {"view": view.value}
