"""Claims the events of one batch."""

from collections.abc import Callable, Mapping
from typing import Any

from haylift.domain.errors import InvalidInput
from haylift.domain.events import ObjectEvent
from haylift.services.batches import PartialBatch, deliver
from haylift.services.dispatch import DispatchService


def consume(
    event: Mapping[str, Any], service: DispatchService, read: Callable[[str], ObjectEvent]
) -> PartialBatch:
    """Claims what the queue brought; what is no event of ours is acknowledged, so that it cannot poison."""

    def claim(body: str) -> None:
        try:
            claimed = read(body)
        except InvalidInput as fault:
            service.ignore(fault.code)
        else:
            service.dispatch(claimed)

    return deliver(event.get("Records", ()), claim)
