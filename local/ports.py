"""The ports of a local system: fixed ones by default, free ones for tests and second systems."""

import json
import os
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from local.faults import LocalFault

HOST = "127.0.0.1"
_LISTENING = "0A"


@dataclass(frozen=True)
class Ports:
    """All on 127.0.0.1; the defaults, each changed by its environment variable (`variable`)."""

    emulator: int = 4566
    """The AWS APIs, and below them the HTTP API."""
    cache: int = 4579
    """Valkey."""
    cache_bus: int = 4589
    """Valkey's cluster bus."""
    model: int = 4580
    """The model endpoint's container."""
    runtime: int = 4581
    """SageMaker's runtime API in front of it."""


def variable(name: str) -> str:
    """The environment variable that changes a port."""
    return f"HAYLIFT_{name.upper()}_PORT"


def default_ports(environment: dict[str, str], usual: Ports | None = None) -> Ports:
    """The usual ports, as changed by the environment; `LocalFault` for a value that is no port."""
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        text = environment.get(variable(field.name))
        if text is None:
            continue
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise LocalFault(f"{variable(field.name)}={text} is no port: give a number from 1 to 65535.")
        chosen[field.name] = int(text)
    return replace(usual or Ports(), **chosen)


def free_ports() -> Ports:
    """Ports that nobody uses at the moment."""
    with ExitStack() as held:
        # All held at once, so that none is drawn twice.
        probes = [held.enter_context(socket.socket()) for _ in fields(Ports)]
        for probe in probes:
            probe.bind((HOST, 0))
        numbers = [probe.getsockname()[1] for probe in probes]
    return Ports(**dict(zip((field.name for field in fields(Ports)), numbers, strict=True)))


def choose_ports(mode: str, file: Path, environment: dict[str, str]) -> Ports:
    """The ports of a system: those kept in `file`, so that addresses survive a restart.

    A system without kept ports draws free ones (`free`) or takes the usual ones (`default`); the
    environment's wish comes before both.
    """
    kept = kept_ports(file)
    if mode == "free" and kept is None:
        return free_ports()
    return default_ports(environment, kept)


def kept_ports(file: Path) -> Ports | None:
    """The ports that a system started with; None when it never did."""
    with suppress(OSError, ValueError, TypeError):
        return Ports(**json.loads(file.read_text(encoding="utf-8")))
    return None


def keep_ports(ports: Ports, file: Path) -> None:
    """Write down the ports of a system that could take them."""
    file.write_text(json.dumps(asdict(ports)), encoding="utf-8")


def are_free(ports: Ports) -> bool:
    """Whether nobody listens on any of the ports."""
    try:
        for field in fields(Ports):
            require_free(getattr(ports, field.name), field.name)
    except LocalFault:
        return False
    return True


def require_free(port: int, name: str) -> None:
    """`LocalFault`, naming the holder where it can be seen, when somebody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            holder = holder_of(port)
            by = f" by {holder}" if holder else ""
            raise LocalFault(
                f"Port {port} of {HOST}, wanted for {name}, is taken{by}.\n"
                "If that is another Haylift, stop it with `make down` in its folder, or run this one beside "
                "it: make up PORTS=free STATE_DIR=.local2\n"
                f"This port alone is moved by {variable(name)}=NUMBER before the same command."
            ) from error


def holder_of(port: int) -> str | None:
    """`pid 123 (command line)` of the process that listens on a port; None where that cannot be seen."""
    inodes = set(_listening_inodes(port))
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            link = os.readlink(descriptor)  # noqa: PTH115  # socket:[inode] is no path
            if link.removeprefix("socket:[").removesuffix("]") in inodes:
                pid = descriptor.parts[2]
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                return f"pid {pid} ({command[:120]})"
    return None


def _listening_inodes(port: int) -> Iterable[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENING and int(words[1].rsplit(":", 1)[1], 16) == port:
                    yield words[9]
