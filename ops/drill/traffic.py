"""What users do while something is broken: real requests at a stated rate, no two alike."""

import itertools
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import httpx

from ops.api import LOOPBACK_HOSTS
from ops.deployment import Login
from ops.drill import uploads
from ops.drill.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLERS = 6
"""Requests under way at a time: with more than that a slow system would still be busy after the repair."""

ANSWER_LIMIT_S = 35.0
TOKEN_LIFE_S = 600.0
"""Access tokens live 15 minutes."""

PAGES = ("/v1/documents", "/metrics", "/docs")
"""One of each function that answers no searches and no logins."""


class Kind(StrEnum):
    """What is done."""

    SEARCH = "searches"
    QUESTION = "questions"
    LOGIN = "logins"
    TOUR = "requests of every function in turn"
    SMALL_FILE = "small files"
    BULK_FILE = "small files of a bulk load"
    LARGE_FILE = "large files"
    POISON = "files that cannot be read"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many a minute of the alarms' clock; `is_bulk` for uploads into the backfill lane too."""

    kind: Kind
    per_minute: float
    is_bulk: bool = False


@dataclass
class Users:
    """The system's logins and their tokens, renewed before they expire; shared by all drills."""

    ground: Ground
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of_tenant(self) -> list[Login]:
        """The seeded users of the drills' tenant."""
        tenant = uploads.tenant(self.ground)
        return [user for user in self.ground.deployment.users if user.tenant == tenant]

    def token(self, http: httpx.Client, user: Login) -> str:
        """A token that is good for some minutes; the old one when there is no new one at the moment."""
        with self._lock:
            token, since = self._tokens.get(user.username, ("", 0.0))
            if not token or time.monotonic() - since > TOKEN_LIFE_S:
                answer = http.post("/v1/auth/login", json=credentials(user))
                if answer.is_success:
                    token = str(answer.json()["access_token"])
                    self._tokens[user.username] = token, time.monotonic()
            return token


def credentials(user: Login) -> dict[str, str]:
    """The body of a login."""
    return {"username": user.username, "password": user.password}


WITH_TOKEN = frozenset({Kind.SEARCH, Kind.QUESTION, Kind.TOUR})


class Traffic:
    """Requests of one kind, again and again, until the block of `running` ends."""

    def __init__(self, ground: Ground, users: Users, rate: Rate) -> None:
        """Nothing is sent yet."""
        self.outcomes: Counter[str] = Counter()
        self._ground, self._users, self._rate = ground, users, rate
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._turn = threading.Lock()
        self._next_at = 0.0

    @contextmanager
    def running(self) -> "Iterator[Traffic]":
        """Traffic while the block runs."""
        url = self._ground.deployment.api_url
        is_remote = httpx.URL(url).host not in LOOPBACK_HOSTS
        with (
            httpx.Client(base_url=url, timeout=ANSWER_LIMIT_S, trust_env=is_remote) as http,
            ThreadPoolExecutor(CALLERS, thread_name_prefix="traffic") as pool,
        ):
            try:
                self._log_all_in(http)
                for _ in range(CALLERS):
                    pool.submit(self._go_on, http)
                yield self
            finally:
                self._ended.set()

    def _log_all_in(self, http: httpx.Client) -> None:
        """Before anything breaks: a fault may be that nobody can log in."""
        if self._rate.kind in WITH_TOKEN:
            for user in self._users.of_tenant():
                self._users.token(http, user)

    def _go_on(self, http: httpx.Client) -> None:
        do = self._action(http)
        while self._wait_for_turn():
            try:
                outcome = do(next(self._numbers))
            except httpx.HTTPError as fault:
                outcome = type(fault).__name__
            self.outcomes[outcome] += 1

    def _wait_for_turn(self) -> bool:
        """Waits until the rate allows one more; False at the end. Nothing is made up for."""
        with self._turn:
            now = time.monotonic()
            pause_s = max(0.0, self._next_at - now)
            self._next_at = now + pause_s + self._ground.minute_s / self._rate.per_minute
        return not self._ended.wait(pause_s) and not self._ground.is_stopping.is_set()

    def _action(self, http: httpx.Client) -> Callable[[int], str]:
        match self._rate.kind:
            case Kind.SEARCH:
                return lambda number: self._ask(http, number, "/v1/search", "query")
            case Kind.QUESTION:
                return lambda number: self._ask(http, number, "/v1/query", "text")
            case Kind.TOUR:
                return lambda number: self._tour(http, number)
            case Kind.LOGIN:
                return lambda number: self._log_in(http, number)
            case _:
                return self._upload

    def _ask(self, http: httpx.Client, number: int, path: str, name: str) -> str:
        body = {name: f"How are documents uploaded and searched, case {uuid.uuid4().hex[:8]}?"}
        answer = http.post(path, json=body, headers=self._authorization(http, number))
        is_degraded = answer.is_success and answer.json().get("degraded") is True
        return f"{answer.status_code}{' degraded' if is_degraded else ''}"

    def _tour(self, http: httpx.Client, number: int) -> str:
        match number % (len(PAGES) + 2):
            case 0:
                return self._log_in(http, number)
            case 1:
                return self._ask(http, number, "/v1/search", "query")
            case turn:
                page = PAGES[turn - 2]
                return f"{http.get(page, headers=self._authorization(http, number)).status_code} {page}"

    def _authorization(self, http: httpx.Client, number: int) -> dict[str, str]:
        users = self._users.of_tenant()
        return {"Authorization": f"Bearer {self._users.token(http, users[number % len(users)])}"}

    def _log_in(self, http: httpx.Client, number: int) -> str:
        users = self._ground.deployment.users
        answer = http.post("/v1/auth/login", json=credentials(users[number % len(users)]))
        return str(answer.status_code)

    def _upload(self, number: int) -> str:
        word = uuid.uuid4().hex[:12]
        name, content = "small.txt", uploads.small_text(word)
        if self._rate.kind is Kind.LARGE_FILE:
            name, content = "large.txt", uploads.large_text(word)
        elif self._rate.kind is Kind.POISON:
            name, make = uploads.POISON[number % len(uploads.POISON)]
            content = make(word)
        is_bulk = self._rate.kind is Kind.BULK_FILE or (self._rate.is_bulk and number % 2 == 1)
        uploads.put(self._ground, uploads.new_path(name, is_bulk=is_bulk), content)
        return "uploaded"
