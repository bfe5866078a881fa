"""Keeps what users think of answers and searches."""

from haylift.domain.identity import Principal
from haylift.ports import Clock
from haylift.ports.limits import Rating, Ratings
from haylift.telemetry import Metric, Telemetry
from haylift.tracing import Hop, hop


class FeedbackService:
    """Takes ratings; who rates is known from the token alone."""

    def __init__(self, ratings: Ratings, telemetry: Telemetry, clock: Clock) -> None:
        self._ratings = ratings
        self._telemetry = telemetry
        self._clock = clock

    def rate(
        self, principal: Principal, rated_request_id: str, *, kind: str, rating: int, comment: str
    ) -> tuple[str, bool]:
        """The rating's id, and whether it replaced an earlier one of this user for the same request.

        Answers are not stored, so that there is nothing to look the request's id up in: any id is taken, and
        means something only together with the request's log lines.

        Args:
            kind: `answer` or `search`.
            rating: 1 to 5.

        Raises:
            StoreUnavailable: a retry helps, and does no harm.
        """
        given = Rating(
            tenant=principal.tenant,
            subject=principal.subject,
            kind=kind,
            rated_request_id=rated_request_id,
            rating=rating,
            comment=comment,
            at=self._clock.now(),
        )
        with hop(Hop.TABLES, table="feedback"):
            is_new = self._ratings.put(given)
        self._telemetry.record(Metric.USER_RATING, rating, kind=kind)
        return given.rating_id, not is_new
