"""`python -m local.breakage`: breaks a part of a local system on purpose, and mends it; what drills use.

Processes are found by the records of the system and its emulator's children, never by their names. What
is held (slow, crash, lock-index) ends with standard input, so that it ends with whoever asked for it.
"""

import argparse
import contextlib
import fcntl
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from local import system
from local.faults import LocalFault
from local.layout import Layout
from local.polling import until
from local.ports import choose_ports
from local.services import Service, services

HELD = "held"
"""Printed once the fault is there."""

CRASH_PAUSE_S = 0.1
"""A function takes longer than this to initialise: no process of a crashing one ever answers."""

WAL_LOCKS = (120, *range(123, 128))
"""Bytes of SQLite's -shm file: the writer's lock and the five of readers (sqlite.org/walformat.html)."""

READY_LIMIT_S = 120.0
TURN_LIMIT_S = 60.0


def _service(layout: Layout, name: str) -> Service:
    found = {service.name: service for service in services(layout, choose_ports("default", layout.ports, {}))}
    if name not in found:
        raise LocalFault(f"There is no part {name}; there are {', '.join(found)}.")
    return found[name]


def _pid(layout: Layout, name: str) -> int:
    identity = _service(layout, name).process.identity()
    if identity is None:
        raise LocalFault(f"The {name} does not run.")
    return identity.pid


def _is_asked_for(pause_s: float) -> bool:
    """Wait so long, or until standard input ends; whether it is still open."""
    readable, _, _ = select.select([sys.stdin], [], [], pause_s)
    return not readable


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Let one command at a time change the system, after those that came before."""
    with contextlib.ExitStack() as stack:

        def is_entered() -> bool:
            try:
                stack.enter_context(system.exclusive(layout))
            except LocalFault:
                return False
            return True

        until(is_entered, what="the end of other commands", limit_s=TURN_LIMIT_S)
        yield


def stop(layout: Layout, options: argparse.Namespace) -> None:
    """Kill a part, as a crash would."""
    with _alone(layout):
        _service(layout, options.name).process.stop(at_once=True)


def start(layout: Layout, options: argparse.Namespace) -> None:
    """Start a part as `up` does, and wait until it answers; one that runs goes on."""
    with _alone(layout):
        service = _service(layout, options.name)
        identity = service.process.identity()
        if identity is None:
            service.process.start(service.launch)
        else:
            os.kill(identity.pid, signal.SIGCONT)
        until(service.is_ready, what=options.name, limit_s=READY_LIMIT_S)


def slow(layout: Layout, options: argparse.Namespace) -> None:
    """Let a part run only for moments."""
    pid = _pid(layout, options.name)
    print(HELD, flush=True)
    try:
        while True:
            os.kill(pid, signal.SIGSTOP)
            if not _is_asked_for(options.stopped_s):
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(options.running_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def crash(layout: Layout, options: argparse.Namespace) -> None:
    """Kill every process of a function as soon as it is there."""
    emulator = _pid(layout, "emulator")
    print(HELD, flush=True)
    while True:
        for pid in system.family_of(emulator):
            if _function_of(pid) == f"haylift-local-{options.name}":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if not _is_asked_for(CRASH_PAUSE_S):
            return


def _function_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        for setting in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, value = setting.partition(b"=")
            if name == b"AWS_LAMBDA_FUNCTION_NAME":
                return value.decode()
    return ""


def lock_index(layout: Layout, options: argparse.Namespace) -> None:
    """Hold every index locked: for writers, or for readers too.

    In WAL mode a writer never stops readers, so the locks are taken that SQLite itself takes in the -shm
    file. They belong to this process: nothing is written, and they end with it.
    """
    locks = WAL_LOCKS[:1] if options.name == "writers" else WAL_LOCKS
    held = [_locked(path, locks) for path in sorted(layout.index.glob("*/*.sqlite3"))]
    print(HELD, flush=True)
    while _is_asked_for(1.0):
        pass
    # Closing the connections would wait for the very locks that are held.
    os._exit(0 if held else 1)


def _locked(path: Path, locks: Sequence[int]) -> tuple[sqlite3.Connection, int]:
    """An open connection, so that nobody else is the last one and removes the file, and the locked file."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, autocommit=True)
    connection.execute("SELECT sequence FROM state").fetchall()
    shared = os.open(f"{path}-shm", os.O_RDWR)
    for byte in locks:
        fcntl.lockf(shared, fcntl.LOCK_EX, 1, byte)
    return connection, shared


def take_index(layout: Layout, options: argparse.Namespace) -> None:
    """Take the folder of the indexes away. A file stands in its place, so that nobody makes it anew."""
    with _alone(layout):
        layout.index.rename(_aside(layout))
        layout.index.touch()
    try:
        print(HELD, flush=True)
        while _is_asked_for(1.0):
            pass
    finally:
        return_index(layout, options)


def return_index(layout: Layout, _options: argparse.Namespace) -> None:
    """Put the folder back where it belongs; harmless when it is there."""
    with _alone(layout):
        if _aside(layout).is_dir():
            if layout.index.is_file():
                layout.index.unlink()
            _aside(layout).rename(layout.index)


def _aside(layout: Layout) -> Path:
    return layout.index.with_name(f"{layout.index.name}-taken-away")


COMMANDS = {
    "stop": stop,
    "start": start,
    "slow": slow,
    "crash": crash,
    "lock-index": lock_index,
    "take-index": take_index,
    "return-index": return_index,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; exit status 1 with a sentence when it cannot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        help="model, cache, runtime; of crash a function; of lock-index `writers`",
    )
    parser.add_argument("--state-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--stopped-s", type=float, default=2.4, metavar="S", help="of slow")
    parser.add_argument("--running-s", type=float, default=0.05, metavar="S", help="of slow")
    options = parser.parse_args(arguments)
    try:
        COMMANDS[options.command](Layout(options.state_dir.absolute()), options)
    except (LocalFault, TimeoutError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
