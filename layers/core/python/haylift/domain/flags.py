"""What an operator may switch while the system runs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Flags:
    """The operators' switches; they degrade quality or shed load, never truth or rights.

    Args:
        keyword_only: hybrid searches go by keywords, answers are marked `degraded`; the model endpoint rests.
        shed_percent: 0 to 100, of searches and questions that are answered 503 with `Retry-After`.
    """

    keyword_only: bool = False
    shed_percent: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.shed_percent <= 100:
            raise ValueError("shed_percent lies between 0 and 100")
