"""What a command works with; tests give their own clock, streams, transport and deployment."""

import getpass
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import httpx

from ops.api import ApiClient
from ops.deployment import Deployment, find_deployment
from ops.faults import UsageFault
from ops.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class World:
    """The outside of a command.

    Args:
        transport: of HTTP calls; None for the network.
        now, sleep: the clock, epoch seconds.
        ask_secret: asks a person for a password without showing it.
    """

    out: TextIO
    err: TextIO
    stdin: TextIO
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    ask_secret: Callable[[str], str] = getpass.getpass

    @classmethod
    def real(cls) -> "World":
        """The process's own streams, network and clock."""
        return cls(out=sys.stdout, err=sys.stderr, stdin=sys.stdin)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One run of a command: its options, the world, and what they lead to."""

    options: Namespace
    world: World
    terminal: Terminal

    def deployment(self) -> Deployment:
        """The deployment that the options name. Raises `OpsFault` (`not_deployed`)."""
        return find_deployment(
            self.options.stage, state_dir=Path(self.options.state_dir), region=self.options.region
        )

    def logged_in(self) -> ApiClient:
        """The API as the user whom the options name; the caller closes it.

        Locally the logins are on file. On AWS `--user` is needed, and the password comes from
        `--password`, `--password-stdin`, or a question on the terminal.
        """
        deployment = self.deployment()
        username, password = self.options.user, self.password()
        if username is not None and password is None and not deployment.users:
            password = self.world.ask_secret(f"Password of {username}: ")
        if username is None or password is None:
            if not deployment.users:
                raise UsageFault("user_missing", f"Name the user with --user in stage {deployment.stage}.")
            login = deployment.login(tenant=self.options.tenant, username=username)
            username, password = login.username, password or login.password
        api = ApiClient(deployment.api_url, self.world.transport)
        api.login(username, password)
        return api

    def password(self) -> str | None:
        """The password that the options give: `--password`, or the first line of stdin."""
        if self.options.password_stdin:
            return self.world.stdin.readline().rstrip("\r\n")
        given: str | None = self.options.password
        return given
