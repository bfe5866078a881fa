"""Looks at the alarms all the time, and remembers when each rang and when it was OK again."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from ops.state import AlarmState

RINGING, OK = "ALARM", "OK"
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Change:
    """An alarm was first seen in another state; `at` in seconds of the monotonic clock."""

    alarm: str
    state: str
    at: float


@dataclass
class Watch:
    """What is known of the alarms; looked at by a thread of its own, read by all drills.

    Args:
        look: gives all alarms as they are now.
        prefix: what their names begin with; names here are without it.
    """

    look: Callable[[], Iterable[AlarmState]]
    prefix: str
    now: Callable[[], float] = time.monotonic
    _states: dict[str, str] = field(default_factory=dict)
    _changes: list[Change] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ended: threading.Event = field(default_factory=threading.Event)

    def look_once(self) -> None:
        """Takes the states as they are; a look that fails is left out, the next one comes soon."""
        try:
            found = {alarm.name.removeprefix(self.prefix): alarm.state for alarm in self.look()}
        except (BotoCoreError, ClientError):
            return
        at = self.now()
        with self._changed:
            for name, state in found.items():
                if self._states.get(name, "") != state:
                    self._changes.append(Change(name, state, at))
            self._states = found
            self._changed.notify_all()

    def begin(self) -> None:
        """Looks once a second until `end`."""
        self.look_once()

        def again() -> None:
            while not self._ended.wait(LOOK_EVERY_S):
                self.look_once()

        threading.Thread(target=again, name="alarms", daemon=True).start()

    def end(self) -> None:
        """No more looks."""
        self._ended.set()

    def states(self) -> Mapping[str, str]:
        """The newest state of every alarm."""
        with self._changed:
            return dict(self._states)

    def ringing(self) -> frozenset[str]:
        """The alarms that ring now."""
        return frozenset(name for name, state in self.states().items() if state == RINGING)

    def rang_since(self, at: float) -> frozenset[str]:
        """The alarms that rang at some time from then on, also those that rang before and still did."""
        with self._changed:
            later = {change.alarm for change in self._changes if change.state == RINGING and change.at >= at}
            before: dict[str, str] = {}
            for change in self._changes:
                if change.at < at:
                    before[change.alarm] = change.state
        return frozenset(later | {name for name, state in before.items() if state == RINGING})

    def last(self, alarm: str, state: str, since: float) -> float | None:
        """When the alarm came into that state for good: the last time from then on, if it is still in it."""
        with self._changed:
            changes = [change for change in self._changes if change.alarm == alarm]
        if not changes or changes[-1].state != state:
            return None
        return max(since, changes[-1].at)

    def first(self, alarm: str, state: str, since: float) -> float | None:
        """When the alarm was first seen in that state from then on; `since` when it was in it already."""
        with self._changed:
            changes = [change for change in self._changes if change.alarm == alarm]
        before = [change.state for change in changes if change.at < since]
        if before and before[-1] == state:
            return since
        return next((change.at for change in changes if change.at >= since and change.state == state), None)

    def wait_for(self, is_there: Callable[[], bool], limit_s: float) -> bool:
        """Waits until it is there, looking after each look at the alarms; False after the limit."""
        ends_at = self.now() + limit_s
        while not is_there():
            left_s = ends_at - self.now()
            if left_s <= 0 or self._ended.is_set():
                return False
            with self._changed:
                self._changed.wait(min(left_s, LOOK_EVERY_S))
        return True
