"""The operators' flags as this process knows them, and what they decide about a request."""

import hashlib
import time
from collections.abc import Callable

from haylift.domain.errors import DependencyUnavailable
from haylift.domain.flags import Flags
from haylift.ports.limits import FlagStore
from haylift.services.last_known import LastKnown
from haylift.telemetry import Metric, Telemetry

KEPT_S = 5.0
"""The longest that a changed flag is unknown to a process."""

SHED_RETRY_AFTER_S = 5.0
KEYWORD_ONLY = "keyword_only"
"""The reason of a degraded answer, and the code of a refusal, while the flag is set."""


class CurrentFlags:
    """The flags, at most 5 s old; the last known ones while their table does not answer.

    Args:
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(self, store: FlagStore, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._known = LastKnown(lambda _: store.read(), at_first=Flags(), kept_s=KEPT_S, monotonic=monotonic)

    def __call__(self) -> Flags:
        return self._known.get()


class LoadShedder:
    """Turns away the share of requests that the flag `shed_percent` names, before any work."""

    def __init__(self, flags: Callable[[], Flags], telemetry: Telemetry) -> None:
        self._flags = flags
        self._telemetry = telemetry

    def admit(self, request_id: str) -> None:
        """Lets the request pass, or not.

        Raises:
            DependencyUnavailable: `load_shed`; a retry helps, since it is drawn anew.
        """
        if is_shed(request_id, self._flags().shed_percent):
            self._telemetry.record(Metric.LOAD_SHED, 1)
            detail = "Too much is asked of the system at the moment; try again in some seconds."
            raise DependencyUnavailable(detail, code="load_shed", retry_after_s=SHED_RETRY_AFTER_S)


def is_shed(request_id: str, percent: int) -> bool:
    """Whether a request belongs to the share: the same for the same id, so that a log line explains it.

    >>> is_shed("a", 0), is_shed("a", 100)
    (False, True)
    """
    digest = hashlib.sha256(request_id.encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent
