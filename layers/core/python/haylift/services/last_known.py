"""Values that change seldom, read again after a while and kept when they cannot be read."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from haylift.domain.errors import StoreUnavailable

MOST_KEYS = 1_000
UNREADABLE = "setting_unreadable"
logger = logging.getLogger("haylift.settings")


@dataclass(frozen=True)
class _Known[V]:
    value: V
    read_at: float


class LastKnown[V]:
    """Gives the last value that was read, at most `kept_s` seconds old while its store answers.

    A store that does not answer is asked again after `kept_s`, and changes nothing until then: a switch
    must not fall back because of the very outage it was set for. A value that cannot be read, such as one
    that a person wrote by hand, changes nothing either. Thread-safe.

    Args:
        read: reads the value of a key; may raise `StoreUnavailable`, or an error of a value.
        at_first: what holds until a value was read.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        read: Callable[[str], V],
        *,
        at_first: V,
        kept_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._at_first = at_first
        self._kept_s = kept_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known_by_key: LRUCache[str, _Known[V]] = LRUCache(MOST_KEYS)

    def get(self, key: str = "") -> V:
        """The value of a key."""
        with self._lock:
            known = self._known_by_key.get(key)
        if known is not None and self._monotonic() - known.read_at < self._kept_s:
            return known.value
        try:
            value = self._read(key)
        except (StoreUnavailable, ValueError, TypeError, LookupError, ArithmeticError) as fault:
            code = fault.code if isinstance(fault, StoreUnavailable) else UNREADABLE
            logger.warning("setting stays as it was last read", extra={"code": code})
            value = known.value if known is not None else self._at_first
        with self._lock:
            self._known_by_key[key] = _Known(value, self._monotonic())
        return value
