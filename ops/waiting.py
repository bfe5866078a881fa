"""Says that a command waits, and for whom: silence is the worst answer at night."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

REMARK_AFTER_S = 5.0
_TIMER = "haylift_waiting"


@dataclass(frozen=True)
class Waiting:
    """Speaks once for each call that takes longer than `after_s`.

    Args:
        say: shows a remark; called from another thread.
    """

    say: Callable[[str], None]
    after_s: float = REMARK_AFTER_S

    @contextmanager
    def during(self, whom: str) -> Iterator[None]:
        """What is done inside waits for an answer of `whom`."""
        timer = self._timer(whom)
        try:
            yield
        finally:
            timer.cancel()

    def watch(self, client: Any, limit_s: float) -> None:
        """Speaks of calls of a boto3 client; `limit_s` is how long one of its attempts takes at most.

        Calls that wait on purpose, such as a queue's long polls, belong to clients that are not watched.
        """
        url = client.meta.endpoint_url

        def begins(model: Any, context: dict[str, Any], **_: Any) -> None:
            context[_TIMER] = self._timer(f"{url} ({model.name}, at most {limit_s:g} s an attempt)")

        def ends(context: dict[str, Any], **_: Any) -> None:
            if (timer := context.pop(_TIMER, None)) is not None:
                timer.cancel()

        client.meta.events.register("before-call", begins)
        client.meta.events.register("after-call", ends)
        client.meta.events.register("after-call-error", ends)

    def _timer(self, whom: str) -> threading.Timer:
        timer = threading.Timer(self.after_s, self.say, [f"Still waiting for {whom}."])
        timer.daemon = True
        timer.start()
        return timer
