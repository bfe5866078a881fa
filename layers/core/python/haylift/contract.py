"""What a function and its stack agree on: routes and event sources."""

from dataclasses import dataclass
from enum import StrEnum

from haylift.domain.identity import Permission


class Access(StrEnum):
    """Who may call a route.

    `OPTIONAL` is open to everybody and knows the caller when a token is sent.
    """

    PUBLIC = "public"
    OPTIONAL = "optional"
    TOKEN = "token"  # noqa: S105  # a kind of access, not a password


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of the REST API. `permission` is needed with `Access.TOKEN`, and only there.

    `alias_of` is the path that this one repeats under a name of Haystack's production guides.
    """

    method: str
    path: str
    access: Access = Access.TOKEN
    permission: Permission | None = None
    alias_of: str = ""

    def __post_init__(self) -> None:
        if (self.access is Access.TOKEN) != (self.permission is not None):
            raise ValueError(
                f"{self.method} {self.path}: a permission is given exactly for routes with a token"
            )


@dataclass(frozen=True, kw_only=True)
class QueueSource:
    """A queue that feeds a function. `name` is the queue's name within the stage.

    Numbers: AWS asks for a visibility time-out of at least six times the function's time-out.
    """

    name: str
    batch_size: int
    max_concurrency: int
    batching_window_s: int = 0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A clock that calls a function with the event `{"source": "haylift.<name>"}`."""

    name: str
    every_minutes: int

    @property
    def source(self) -> str:
        """The `source` of the event.

        >>> Schedule(name="heartbeat", every_minutes=1).source
        'haylift.heartbeat'
        """
        return f"haylift.{self.name}"
