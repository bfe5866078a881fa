"""The operators' flags as this process knows them, and what they decide about a request."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from haylift.domain.errors import KEYWORD_ONLY, DependencyUnavailable, ModelUnavailable
from haylift.domain.flags import Flags
from haylift.domain.identity import Scope
from haylift.domain.search import Retrieved, SearchMode, SearchRequest
from haylift.ports import QueryPipeline
from haylift.ports.limits import FlagStore
from haylift.resilience import Deadline
from haylift.services.last_known import LastKnown
from haylift.telemetry import Metric, Telemetry

KEPT_S = 5.0
"""The longest that a changed flag is unknown to a process."""

SHED_RETRY_AFTER_S = 5.0
KEYWORD_ONLY_RETRY_AFTER_S = 30.0


class CurrentFlags:
    """The flags, at most 5 s old; the last known ones while their table does not answer.

    Args:
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(self, store: FlagStore, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._known = LastKnown(lambda _: store.read(), at_first=Flags(), kept_s=KEPT_S, monotonic=monotonic)

    def __call__(self) -> Flags:
        return self._known.get()


class SparingPipeline:
    """A query pipeline (port `QueryPipeline`) that leaves the model alone while `keyword_only` is set.

    Args:
        flags: the operators' flags as they stand.
    """

    def __init__(self, pipeline: QueryPipeline, flags: Callable[[], Flags]) -> None:
        self._pipeline = pipeline
        self._flags = flags

    def run(self, request: SearchRequest, scope: Scope, generation: str, deadline: Deadline) -> Retrieved:
        """Finds up to `request.top_k` hits; by keywords in place of a hybrid search, and then degraded.

        Raises:
            ModelUnavailable: `keyword_only`, for a semantic search, which has no other way.
            IndexUnavailable, DeadlineExceeded: as the pipeline within.
        """
        if request.mode is SearchMode.KEYWORD or not self._flags().keyword_only:
            return self._pipeline.run(request, scope, generation, deadline)
        if request.mode is SearchMode.SEMANTIC:
            detail = "Semantic search is switched off for now: search with `mode` hybrid or keyword."
            raise ModelUnavailable(detail, code=KEYWORD_ONLY, retry_after_s=KEYWORD_ONLY_RETRY_AFTER_S)
        by_keywords = replace(request, mode=SearchMode.KEYWORD)
        found = self._pipeline.run(by_keywords, scope, generation, deadline)
        return replace(found, degraded=KEYWORD_ONLY)


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
