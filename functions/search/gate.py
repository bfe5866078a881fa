"""Who is let in to search: with the permission, not shed, and within the limit."""

from dataclasses import replace

from fastapi import Request
from haylift.domain.errors import InvalidInput
from haylift.domain.identity import Permission, Principal
from haylift.http import caller, request_id_of, require
from haylift.http.ratelimit import note_allowance, require_allowance
from haylift.services.batch import MAX_BATCH
from haylift.services.flags import LoadShedder
from haylift.services.limits import FEEDBACK, SEARCH, RatingLimits, SearchLimits


class Gate:
    """Asked before a body is read, so that whoever is turned away costs next to nothing."""

    def __init__(self, shedder: LoadShedder, limits: SearchLimits, ratings: RatingLimits) -> None:
        self._shedder = shedder
        self._limits = limits
        self._ratings = ratings

    async def admit(self, request: Request) -> None:
        """Lets one search or question in; one that then turns out malformed has been counted.

        Raises:
            NotAuthenticated, NotAllowed: the caller may not search.
            DependencyUnavailable: `load_shed`.
            LimitExceeded: the caller's searches of this minute are used up.
        """
        self._take(request, reader(request), cost=1)

    async def admit_batch(self, request: Request) -> None:
        """Lets a batch in, counting each of its searches: all of them or none.

        Raises:
            InvalidInput: `batch_size_out_of_range`, when no minute has room for so many.
        """
        self._take(request, reader(request), cost=await _searches_in(request))

    async def admit_rating(self, request: Request) -> None:
        """Lets one rating in; one that then turns out malformed has been counted.

        Raises:
            NotAuthenticated, NotAllowed: the caller may not rate.
            LimitExceeded: the caller's ratings of this minute are used up.
        """
        allowance = self._ratings.take(reader(request))
        if allowance is not None:
            require_allowance(request, FEEDBACK, allowance)

    def _take(self, request: Request, principal: Principal, *, cost: int) -> None:
        self._shedder.admit(request_id_of(request))
        allowance = self._limits.take(principal, cost)
        if allowance is None:
            return
        if cost > allowance.limit.requests:
            # No retry helps, so that nothing says when to.
            note_allowance(request, SEARCH, replace(allowance, is_allowed=True, retry_after_s=0.0))
            detail = f"Your limit is {allowance.limit.requests} searches a minute: send smaller batches."
            raise InvalidInput(detail, code="batch_size_out_of_range", where="searches")
        require_allowance(request, SEARCH, allowance)


def reader(request: Request) -> Principal:
    """The caller, who may read.

    Raises:
        NotAuthenticated, NotAllowed: nobody, or without the permission.
    """
    principal = caller(request)
    require(principal, Permission.READ)
    return principal


async def _searches_in(request: Request) -> int:
    """How many searches a batch asks for; 1 for whatever will be refused as no batch."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return 1
    searches = body.get("searches") if isinstance(body, dict) else body
    return len(searches) if isinstance(searches, list) and 1 <= len(searches) <= MAX_BATCH else 1
