"""What a command works with; tests give their own clock, streams, transport and deployment."""

import getpass
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import httpx

from ops.api import ANSWER_TIMEOUT_S, ApiClient
from ops.deployment import PATIENT, Deployment, Patience, find_deployment
from ops.faults import UsageFault
from ops.terminal import Terminal
from ops.tokens import TokenStore
from ops.waiting import REMARK_AFTER_S, Waiting

MOST_WAIT_S = 90.0
"""Longer than any limit's window of a minute."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The outside of a command.

    Args:
        transport: of HTTP calls; None for the network.
        now, sleep: the clock, epoch seconds.
        ask_secret: asks a person for a password without showing it.
        sources_s: how long the status waits for what it asks; its screen is there within five seconds.
        patience: with AWS's APIs, where a command needs no other.
        answer_s: how long one answer of our own API may take.
        remark_after_s: how long a call takes before the terminal says for whom it waits.
    """

    out: TextIO
    err: TextIO
    stdin: TextIO
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    ask_secret: Callable[[str], str] = getpass.getpass
    sources_s: float = 3.2
    patience: Patience = PATIENT
    answer_s: float = ANSWER_TIMEOUT_S
    remark_after_s: float = REMARK_AFTER_S

    @classmethod
    def real(cls) -> "World":
        """The process's own streams, network and clock."""
        return cls(out=sys.stdout, err=sys.stderr, stdin=sys.stdin)


@dataclass(frozen=True)
class Credentials:
    """Who logs in. Without a password the terminal is asked; one that the options gave is always tried."""

    username: str
    password: str | None = field(repr=False)
    is_given: bool = False


@dataclass(frozen=True, kw_only=True)
class Session:
    """One run of a command: its options, the world, and what they lead to."""

    options: Namespace
    world: World
    terminal: Terminal

    def deployment(self) -> Deployment:
        """The deployment that the options name. Raises `OpsFault` (`not_deployed`)."""
        return find_deployment(
            self.options.stage,
            state_dir=Path(self.options.state_dir),
            region=self.options.region,
            patience=self.world.patience,
            waiting=self.waiting,
        )

    @property
    def waiting(self) -> Waiting:
        """Tells the person before the screen of a call that takes long."""
        return Waiting(self.terminal.remark, self.world.remark_after_s)

    def logged_in(self) -> ApiClient:
        """The API as the user whom the options name; the caller closes it.

        Locally the logins are on file. On AWS `--user` is needed, and the password comes from
        `--password`, `--password-stdin`, or a question on the terminal. A token that an earlier command
        of the local system left is used until shortly before it expires.
        """
        deployment = self.deployment()
        username, password = self.options.user, self.password()
        is_given = password is not None
        if username is None and not deployment.users:
            raise UsageFault("user_missing", f"Name the user with --user in stage {deployment.stage}.")
        if deployment.users and (username is None or password is None):
            login = deployment.login(tenant=self.options.tenant, username=username)
            username, password = login.username, password or login.password
        api = ApiClient(
            deployment.api_url,
            self.world.transport,
            answer_timeout_s=self.world.answer_s,
            wait=self._wait,
            waiting=self.waiting,
        )
        self.enter(api, deployment, Credentials(username, password, is_given=is_given))
        return api

    def enter(self, api: ApiClient, deployment: Deployment, credentials: Credentials) -> None:
        """Logs in, or goes on with the token of an earlier command.

        Raises:
            ApiFault: the login is refused, for example `invalid_credentials` or `too_many_requests`.
        """
        is_kept = bool(deployment.users) or getattr(self.options, "keep_login", False)
        store = TokenStore(Path(self.options.state_dir)) if is_kept else None
        name, now_s = credentials.username, self.world.now()

        def log_in() -> None:
            password = credentials.password or self.world.ask_secret(f"Password of {name}: ")
            token, lifetime_s = api.login(name, password)
            if store is not None:
                store.put(deployment.api_url, name, token, now_s + lifetime_s)

        kept = store.get(deployment.api_url, name, now_s) if store and not credentials.is_given else None
        if kept is None:
            log_in()
        else:
            api.use(kept, renew=log_in)

    def _wait(self, seconds: float) -> bool:
        """Waits until the API takes requests again, when a person watches and it is not long."""
        if not self.terminal.is_interactive or seconds > MOST_WAIT_S:
            return False
        self.terminal.remark(f"The API has had too many requests: trying again in {seconds:.0f} s.")
        self.world.sleep(seconds)
        return True

    def password(self) -> str | None:
        """The password that the options give: `--password`, or the first line of stdin."""
        if self.options.password_stdin:
            return self.world.stdin.readline().rstrip("\r\n")
        given: str | None = self.options.password
        return given
