"""A local system as a whole: start, stop, look at, remove."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from local.choices import DEFAULT_MINUTE_S
from local.emulator.clean_stop import CLEAN_STOP
from local.faults import LocalFault
from local.layout import DEFAULT_STATE, Layout
from local.polling import TooLate, until
from local.ports import Ports, keep_ports, require_free
from local.services import DEFAULT_WORKERS, Service, services
from local.steps import kept, step

RESTARTABLE = ("model", "cache", "runtime")
"""Services without state; the emulator's would be lost with it, so only `down` and `up` change that one."""


@contextmanager
def exclusive(layout: Layout) -> Iterator[None]:
    """Let one command at a time change a system.

    Raises:
        LocalFault: another command changes it, or the state folder is a file or somebody else's.
    """
    with _opened_lock(layout) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalFault(
                f"Another command is changing the system in {layout.state}: wait for its end, then try again."
            ) from error
        yield


def _opened_lock(layout: Layout) -> IO[str]:
    """The open lock file; `LocalFault` when the state folder is none, or is not ours."""
    try:
        layout.state.mkdir(parents=True, exist_ok=True)
        foreign = [] if layout.marker.exists() else [p for p in layout.state.iterdir() if p != layout.lock]
        if not foreign:
            return layout.lock.open("w")
    except OSError as error:
        raise LocalFault(
            f"{layout.state} cannot be the state folder ({error.strerror}): "
            "give --state-dir a new or empty folder."
        ) from error
    raise LocalFault(
        f"{layout.state} holds {foreign[0].name} and was not made by this command: "
        "give --state-dir a new or empty folder."
    )


def start(
    layout: Layout, ports: Ports, workers: int = DEFAULT_WORKERS, minute_s: float = DEFAULT_MINUTE_S
) -> bool:
    """Have every service running as this checkout wants it and answering.

    Services that run already and were started the same way are left alone. What an earlier run that was
    killed has left behind is ended, and its state, which may be half written, removed.

    Args:
        workers: how many processes of one function version run at a time.
        minute_s: real seconds of a minute of alarms and schedules.

    Returns:
        Whether state was removed: then the documents and users of the earlier run are gone.

    Raises:
        LocalFault: a port is taken, or a service does not become ready; the text says which and why.
    """
    layout.create()
    wanted = services(layout, ports, workers, minute_s)
    # Before anything is stopped: a port that is taken must not cost a system that works.
    _require_ports(wanted, ports)
    keep_ports(ports, layout.ports)
    _end_outdated(wanted)
    is_discarded = _discard_untrusted_state(layout, wanted)
    running = [service.name for service in wanted if service.process.identity() is not None]
    if running:
        kept(f"{', '.join(running)} run already")
    with step("start the services"):
        _require_ports(wanted, ports)
        for service in wanted:
            if service.process.identity() is None:
                service.process.start(service.launch)
        for service in wanted:
            _wait_until_ready(service)
    return is_discarded


def restart(layout: Layout, ports: Ports, name: str) -> None:
    """End one service, if it runs, and start it again; the others and all state are left alone.

    It is killed and not asked: what `RESTARTABLE` names keeps nothing, and one that hangs hears nothing.

    Raises:
        LocalFault: its port is taken by another process, or it does not become ready.
    """
    service = next(service for service in services(layout, ports) if service.name == name)
    if service.process.identity() is not None:
        with step(f"end the {name}"):
            service.process.stop(at_once=True)
    _require_ports([service], ports)
    with step(f"start the {name}"):
        service.process.start(service.launch)
        _wait_until_ready(service)


def is_running(layout: Layout, ports: Ports) -> bool:
    """Whether any service of the system runs."""
    return any(service.process.identity() is not None for service in services(layout, ports))


def _require_ports(wanted: list[Service], ports: Ports) -> None:
    for service in wanted:
        if service.process.identity() is None:
            for name in service.ports:
                require_free(getattr(ports, name), name)


def _end_outdated(wanted: list[Service]) -> None:
    for service in wanted:
        if service.process.identity() is not None and not service.process.was_launched_as(service.launch):
            with step(f"restart the {service.name}, which has changed"):
                service.process.stop()


def _discard_untrusted_state(layout: Layout, wanted: list[Service]) -> bool:
    """Remove the state of an emulator that did not stop cleanly, and the index that belongs to it."""
    emulator = wanted[0]
    is_used = any(layout.emulator.iterdir())
    if emulator.process.identity() is not None or not is_used or (layout.emulator / CLEAN_STOP).exists():
        return False
    down = (
        "make down" if layout.state == DEFAULT_STATE else f"python -m local down --state-dir {layout.state}"
    )
    print(
        "\nThe earlier run did not stop cleanly: its emulator was killed, and only a clean stop saves its "
        "state.\nThe documents and users of that run are gone; everything is built again. "
        f"To keep them next time, stop with `{down}`.\n",
        flush=True,
    )
    with step("remove the state of the earlier run"):
        for service in wanted:
            service.process.stop()
        for folder in (layout.emulator, layout.index):
            shutil.rmtree(folder)
        layout.outputs.unlink(missing_ok=True)
        layout.create()
    return True


def _wait_until_ready(service: Service) -> None:
    process = service.process

    def is_settled() -> bool:
        return service.is_ready() or process.identity() is None

    try:
        until(is_settled, what=service.name, limit_s=service.ready_limit_s)
    except TooLate as error:
        raise LocalFault(
            _not_ready(service, f"does not answer within {service.ready_limit_s:g} s")
        ) from error
    if process.identity() is None:
        raise LocalFault(_not_ready(service, "has ended"))


def _not_ready(service: Service, how: str) -> str:
    return f"The {service.name} {how}; the end of {service.process.log}:\n{service.process.last_lines()}"


def stop(layout: Layout, ports: Ports) -> None:
    """End every service, in order, and wait for the ends; state and logs stay."""
    for service in services(layout, ports):
        if service.process.identity() is not None:
            with step(f"stop the {service.name}"):
                service.process.stop()


def remove(layout: Layout) -> None:
    """Remove the state folder of a stopped system; `LocalFault` when it is not one of ours."""
    if not layout.state.exists():
        return
    if not layout.marker.exists():
        raise LocalFault(
            f"{layout.state} was not made by this command (no {layout.marker.name} in it): not removed."
        )
    with step(f"remove {layout.state}"):
        shutil.rmtree(layout.state)


def report(layout: Layout, ports: Ports) -> bool:
    """Print what runs; true when everything does and answers."""
    is_whole = True
    total_mb = 0
    for service in services(layout, ports):
        identity = service.process.identity()
        is_ready = identity is not None and service.is_ready()
        is_whole = is_whole and is_ready
        state = "ready" if is_ready else "not answering" if identity else "not running"
        pid = "-"
        if identity:
            family = family_of(identity.pid)
            total_mb += sum(map(_resident_mb, family))
            pid = f"pid {identity.pid}, {sum(map(_resident_mb, family))} MB in {len(family)} processes"
        numbers = ", ".join(f"{name} {getattr(ports, name)}" for name in service.ports)
        print(f"{service.name:9} {state:14} {pid:40} ports: {numbers}")
    print(f"{total_mb} MB in all; functions are processes of the emulator")
    return is_whole


def family_of(pid: int) -> list[int]:
    """A process and all its descendants, as they are now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            parent = _status_number(entry, "PPid")
            children.setdefault(parent, []).append(int(entry.parent.name))
    family = [pid]
    for member in family:
        family += children.get(member, [])
    return family


def _resident_mb(pid: int) -> int:
    with suppress(OSError):
        return _status_number(Path(f"/proc/{pid}/status"), "VmRSS") // 1024
    return 0


def _status_number(status: Path, name: str) -> int:
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
