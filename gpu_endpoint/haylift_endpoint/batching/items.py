"""One input that waits for the model."""

import asyncio
from typing import Literal

from haylift_endpoint.errors import DeadlineExceeded, EndpointError
from haylift_endpoint.ports import Prepared, RequestClass, Vector

type Outcome = Vector | EndpointError
"""What an item ends with. Errors are values here: nobody may be there to receive a raised one."""

OutcomeKind = Literal["answered", "failed", "expired", "cancelled"]


class WorkItem:
    """An input with its deadline and its one outcome.

    `arrived_s` and `deadline_s` are readings of the event loop's clock. The first outcome stays; what comes
    later (the result of a run that the caller no longer waits for) is dropped. `queued_s` and `model_s` are
    how long it stood in line and how long its batch ran, both 0 until a run succeeded.
    """

    __slots__ = (
        "arrived_s",
        "deadline_s",
        "model_s",
        "outcome",
        "prepared",
        "queued_s",
        "request_class",
    )

    def __init__(
        self, prepared: Prepared, request_class: RequestClass, *, arrived_s: float, deadline_s: float
    ) -> None:
        self.prepared = prepared
        self.request_class = request_class
        self.arrived_s = arrived_s
        self.deadline_s = deadline_s
        self.queued_s = 0.0
        self.model_s = 0.0
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def tokens(self) -> int:
        """Its length, special tokens included."""
        return self.prepared.tokens

    @property
    def is_waiting(self) -> bool:
        """Nobody has decided its outcome yet."""
        return not self.outcome.done()

    def decide(self, outcome: Outcome) -> bool:
        """Sets the outcome, unless there is one. True when it was set."""
        if self.outcome.done():
            return False
        self.outcome.set_result(outcome)
        return True

    @property
    def kind(self) -> OutcomeKind:
        """How it ended; an item whose caller left before that is cancelled."""
        if self.outcome.cancelled() or not self.outcome.done():
            return "cancelled"
        result = self.outcome.result()
        if not isinstance(result, EndpointError):
            return "answered"
        return "expired" if isinstance(result, DeadlineExceeded) else "failed"
