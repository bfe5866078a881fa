"""Many searches in one request: each gets its own answer or its own error."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haylift.domain.errors import DeadlineExceeded, DependencyUnavailable, HayliftError
from haylift.domain.identity import Scope
from haylift.domain.search import SearchAnswer, SearchRequest
from haylift.resilience import Deadline
from haylift.services.query_cache import CacheKey
from haylift.services.search import SearchService

MAX_BATCH = 50
logger = logging.getLogger("haylift.search")
NOT_REACHED = "The time of the batch was over before this search; send it again, in a smaller batch."


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One search's answer, or the error that it ended with; `took_ms` milliseconds."""

    result: SearchAnswer | HayliftError
    took_ms: float


class BatchSearchService:
    """Answers up to 50 searches one after the other, as a process answers requests.

    Args:
        perf_counter: seconds, for durations.
    """

    def __init__(
        self, search: SearchService, *, perf_counter: Callable[[], float] = time.perf_counter
    ) -> None:
        self._search = search
        self._perf_counter = perf_counter

    def search(
        self, items: Sequence[SearchRequest | HayliftError], scope: Scope, deadline: Deadline
    ) -> list[Outcome]:
        """One outcome for each item, in order; searches that mean the same are run once.

        Args:
            items: an error stands for a search that could not be read, and is its outcome.
            deadline: of all together; what it does not reach ends with DeadlineExceeded.

        Side effects: those of each search that is run.
        """
        outcome_by_meaning: dict[str, Outcome] = {}
        outcomes = []
        for item in items:
            if isinstance(item, HayliftError):
                outcomes.append(Outcome(result=item, took_ms=0.0))
                continue
            meaning = CacheKey.of(item, scope, kind="batch", model="", version="").digest
            if meaning not in outcome_by_meaning:
                outcome_by_meaning[meaning] = self._outcome(item, scope, deadline)
            outcomes.append(outcome_by_meaning[meaning])
        return outcomes

    def _outcome(self, request: SearchRequest, scope: Scope, deadline: Deadline) -> Outcome:
        started = self._perf_counter()
        result = self._result(request, scope, deadline)
        return Outcome(result=result, took_ms=(self._perf_counter() - started) * 1_000)

    def _result(
        self, request: SearchRequest, scope: Scope, deadline: Deadline
    ) -> SearchAnswer | HayliftError:
        if deadline.is_over:
            return DeadlineExceeded(NOT_REACHED)
        try:
            return self._search.search(request, scope, deadline)
        except DependencyUnavailable as fault:
            logger.warning("search of a batch failed", extra={"code": fault.code}, exc_info=fault)
            return fault
        except HayliftError as fault:
            return fault
