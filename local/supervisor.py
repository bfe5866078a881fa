"""Processes that outlive the command that started them, and are ended by no one else's pid.

A process is known by its pid, its start time and the boot it was started in: a pid that the system has
given to another process since is never signalled.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.faults import LocalFault
from local.polling import TooLate, until

RECORD_THEN_RUN = """
started_ticks() { shift 19; echo "$1"; }
read -r stat < "/proc/$$/stat"
printf '{"identity": {"pid": %d, "started_ticks": %d, "boot_id": "%s"}, "fingerprint": "%s"}' \\
    "$$" "$(started_ticks ${stat##*) })" "$2" "$3" > "$1.new" && mv "$1.new" "$1" && shift 3 && exec "$@"
"""
"""A process writes its own record and becomes the command: it is on record even if its starter is killed."""
RECORD_LIMIT_S = 20.0
TERMINATE_LIMIT_S = 20.0
KILL_LIMIT_S = 5.0


@dataclass(frozen=True)
class Identity:
    """Which process is meant, for ever."""

    pid: int
    started_ticks: int
    boot_id: str

    def is_running(self) -> bool:
        """Whether that very process is there and has not ended."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none, or only its remains."""
    found = _stat(pid)
    if found is None:
        return None
    return Identity(pid, int(found[18]), _boot_id())


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def running_in_session(session: int) -> list[int]:
    """The pids of a session's processes that have not ended: its leader and what that has started."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if (found := _stat(pid)) is not None and int(found[2]) == session]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the parent's pid on; None of what has ended, its remains included."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name before the last parenthesis may hold anything, spaces included.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else fields


@dataclass(frozen=True)
class Launch:
    """How a process is started; `fingerprint` tells whether a running one was started the same way."""

    command: Sequence[str]
    environment: dict[str, str]
    folder: Path
    fingerprint: str


class Supervised:
    """One named process of a local system, recorded in a file."""

    def __init__(self, name: str, record: Path, log: Path) -> None:
        """`record` holds the process's identity while it runs; `log` gets its output."""
        self.name = name
        self.log = log
        self._record = record

    def identity(self) -> Identity | None:
        """The recorded process, if it runs."""
        found = self._read()
        return found[0] if found is not None and found[0].is_running() else None

    def was_launched_as(self, launch: Launch) -> bool:
        """Whether the recorded process was started in the same way."""
        found = self._read()
        return found is not None and found[1] == launch.fingerprint

    def start(self, launch: Launch) -> Identity:
        """Start the process in a session of its own; it goes on when this command ends."""
        process = self._popen(launch)
        # Popen would warn when it is forgotten while the process runs, which is what is wanted here.
        process.returncode = 0
        return Identity(process.pid, 0, "") if (found := identify(process.pid)) is None else found

    def run(self, launch: Launch) -> int:
        """Run the process to its end and return its exit status; interrupted, end it and what it started."""
        with self._popen(launch) as process:
            try:
                return process.wait()
            finally:
                self.stop(at_once=True)

    def stop(self, *, at_once: bool = False) -> bool:
        """End the process and all that it has started, and wait for their ends; whether there was one to end.

        It is asked first, and after 20 s, or `at_once`, killed together with what it started.

        Raises:
            LocalFault: a process outlives its kill, as one does that waits for a disk; the text names it.
        """
        identity = self.identity()
        if identity is not None:
            has_ended = not at_once and self._end(identity, signal.SIGTERM, TERMINATE_LIMIT_S)
            if not has_ended and not self._end(identity, signal.SIGKILL, KILL_LIMIT_S):
                pids = ", ".join(map(str, running_in_session(identity.pid)))
                raise LocalFault(f"{self.name} does not end: pid {pids}. Wait for it, then try again.")
        self._record.unlink(missing_ok=True)
        return identity is not None

    def _popen(self, launch: Launch) -> "subprocess.Popen[bytes]":
        record = [str(self._record), _boot_id(), launch.fingerprint]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", RECORD_THEN_RUN, "sh", *record, *launch.command],
                cwd=launch.folder, env=launch.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

        def is_on_record() -> bool:
            found = self._read()
            return process.poll() is not None or (found is not None and found[0].pid == process.pid)

        until(is_on_record, what=f"record of {self.name}", limit_s=RECORD_LIMIT_S, pause_s=0.005)
        return process

    def _end(self, identity: Identity, number: signal.Signals, limit_s: float) -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(identity.pid, number)

        def has_ended() -> bool:
            # A child of this very command stays as a zombie until it is waited for.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(identity.pid, os.WNOHANG)
            # The process leads a session of its own: nobody gets its number while one of that session runs.
            running = running_in_session(identity.pid)
            for pid in running if number == signal.SIGKILL else []:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            return not running

        with contextlib.suppress(TooLate):
            return until(has_ended, what=self.name, limit_s=limit_s, pause_s=0.05)
        return False

    def last_lines(self, number: int = 15) -> str:
        """The end of the log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-number:])
        return ""

    def _read(self) -> tuple[Identity, str] | None:
        try:
            found = json.loads(self._record.read_text(encoding="utf-8"))
            return Identity(**found["identity"]), str(found["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
