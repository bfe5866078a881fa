"""Claims the events of one batch."""

from collections.abc import Callable, Mapping
from typing import Any

from haylift.domain.errors import InvalidInput
from haylift.domain.events import ObjectEvent
from haylift.resilience import Deadline
from haylift.services.batches import PartialBatch, deliver, deliver_side_by_side
from haylift.services.dispatch import DispatchService

THREADS = 5
"""Each record is four calls one after the other and hardly any work; a client of AWS has ten connections."""

ANSWER_RESERVE_S = 3.0
"""Kept back from the function's own time-out: its end would deliver the whole batch again."""


def consume(
    event: Mapping[str, Any],
    service: DispatchService,
    read: Callable[[str], ObjectEvent],
    *,
    remaining_s: float | None = None,
) -> PartialBatch:
    """Claims what the queue brought; what is no event of ours is acknowledged, so that it cannot poison.

    Args:
        remaining_s: of the function's time-out; with it the records are claimed side by side. None: one
            after the other, in their order.
    """

    def claim(body: str) -> None:
        try:
            claimed = read(body)
        except InvalidInput as fault:
            service.ignore(fault.code)
        else:
            service.dispatch(claimed)

    if remaining_s is None:
        return deliver(event.get("Records", ()), claim)
    deadline = Deadline.after(remaining_s - ANSWER_RESERVE_S)
    return deliver_side_by_side(event.get("Records", ()), claim, deadline, threads=THREADS)
