"""Shows that a flag is in effect: by searches, as any caller makes them."""

from collections.abc import Callable
from dataclasses import dataclass

from haylift.domain.errors import KEYWORD_ONLY
from haylift.domain.search import SearchMode

from ops.api import ApiClient
from ops.faults import ApiFault, OpsFault
from ops.session import World

LOAD_SHED = "load_shed"
PAUSE_S = 0.5
TRIES = 20
"""A third of a user's searches in a minute, and twice the time that functions take to follow."""


@dataclass(frozen=True)
class Seen:
    """How one search was answered."""

    is_shed: bool
    is_keyword_only: bool


def prove(world: World, api: ApiClient, is_in_effect: Callable[[Seen], bool], *, after_s: float) -> float:
    """Searches until the flag is seen; gives the seconds that it took.

    Args:
        after_s: seconds before the first search: a flag that is taken back shows by what no longer happens.

    Raises:
        OpsFault: `not_seen` after 20 searches. Of a small share of shed load this says nothing.
        ApiFault: the search fails in another way.
    """
    began_s = world.now()
    world.sleep(after_s)
    for number in range(TRIES):
        if is_in_effect(_search(api, f"proof {began_s} {number}")):
            return world.now() - began_s
        world.sleep(PAUSE_S)
    raise OpsFault("not_seen", f"The flag is set, but {TRIES} searches did not show it; ask `ops status`.")


def _search(api: ApiClient, query: str) -> Seen:
    try:
        answer = api.post("/v1/search", {"query": query, "mode": SearchMode.HYBRID.value, "top_k": 1})
    except ApiFault as fault:
        if fault.code != LOAD_SHED:
            raise
        return Seen(is_shed=True, is_keyword_only=False)
    return Seen(is_shed=False, is_keyword_only=answer["degraded_reason"] == KEYWORD_ONLY)
