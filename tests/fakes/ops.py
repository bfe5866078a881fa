"""The outside of the operator's commands: a clock by hand, captured streams, a local system on file."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from ops.session import World

USERS = [
    {"username": "ada@acme", "password": "ada-password", "tenant": "acme", "role": "admin"},
    {"username": "rea@acme", "password": "rea-password", "tenant": "acme", "role": "reader"},
    {"username": "gil@globex", "password": "gil-password", "tenant": "globex", "role": "editor"},
]
TABLES = {
    "LedgerTableName": "ledger",
    "TenantsTableName": "tenants",
    "UsersTableName": "users",
}
BUCKET = "uploads"


class HandClock:
    """A clock that only `sleep` moves; `on_sleep` is what the world does meanwhile."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self.time_s = 1_000.0
        self._on_sleep = on_sleep

    def now(self) -> float:
        """Epoch seconds."""
        return self.time_s

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.time_s += seconds
        self._on_sleep()


def write_outputs(state_dir: Path, **changes: Any) -> None:
    """What `make up` writes; without an emulator's address, so that moto answers."""
    outputs = {
        "api_url": "http://127.0.0.1:4566/_aws/execute-api/abc/local/",
        "aws_endpoint_url": None,
        "region": "eu-central-1",
        "upload_bucket": BUCKET,
        "model_endpoint_url": "http://127.0.0.1:4570",
        "users": USERS,
        "on_call_inbox": "inbox",
        "outputs": TABLES,
    }
    (state_dir / "outputs.json").write_text(json.dumps(outputs | changes), encoding="utf-8")


def captured_world(
    *,
    transport: httpx.BaseTransport | None = None,
    clock: HandClock | None = None,
    stdin: str = "",
) -> World:
    """A world whose streams are kept in memory and where nobody answers a question for a password."""
    clock = clock or HandClock()
    return World(
        out=io.StringIO(),
        err=io.StringIO(),
        stdin=io.StringIO(stdin),
        transport=transport,
        now=clock.now,
        sleep=clock.sleep,
        ask_secret=lambda prompt: f"typed after {prompt!r}",
    )


def shown(world: World) -> str:
    """What went to stdout."""
    assert isinstance(world.out, io.StringIO)
    return world.out.getvalue()


def remarked(world: World) -> str:
    """What went to stderr."""
    assert isinstance(world.err, io.StringIO)
    return world.err.getvalue()
