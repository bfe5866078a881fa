"""The process that forks a parser for each file, seen from the worker."""

import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress

COMMAND = (sys.executable, "-P", "-S", "-m", "haylift.parsing.nursery")
"""`-P`: the working folder is no place to import from; `-S`: where modules lie is given, not searched."""

STATUS_BYTES = 4
ANSWER_TIMEOUT_S = 5.0
"""For a status. A nursery without an answer is still loading on a very busy machine, or stopped: it goes."""


class NurseryGone(OSError):
    """The process that forks died, or cannot fork: that says nothing about the file, a new one helps."""


class ForkedParser:
    """One parser, from its birth to its end.

    Args:
        output: descriptor of what it says.
        control: of its nursery.
    """

    def __init__(self, request: int, output: int, control: socket.socket) -> None:
        self.output = output
        self._request = request
        self._control = control
        self._has_ended = False

    def send(self, request: bytes) -> None:
        """Gives it the request, once; of one that is dead already its status tells."""
        with suppress(BrokenPipeError), os.fdopen(self._request, "wb") as pipe:
            self._request = -1
            pipe.write(request)

    def end(self) -> int:
        """Kills it unless it has ended; its exit status, negative: the signal that ended it.

        Raises:
            NurseryGone: nobody knows, or it was ended before.
        """
        if self._has_ended:
            raise NurseryGone("The parser has ended before.")
        self._has_ended = True
        for descriptor in {self._request, self.output} - {-1}:
            os.close(descriptor)
        try:
            self._control.sendall(b"e")
            answer = self._control.recv(STATUS_BYTES, socket.MSG_WAITALL)
        except OSError:
            answer = b""
        if len(answer) < STATUS_BYTES:
            self._control.close()
            raise NurseryGone("The process that forks parsers is gone.")
        return int.from_bytes(answer, signed=True)


class Nursery:
    """A child process that forks parsers, one at a time; it and its parser end with this object or process.

    Pipes and sockets only: Lambda has no `/dev/shm`.

    Args:
        command: of the process; the descriptor of a socket is added.
        environment: all that it and its parsers see of ours.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own module, nothing of the user's in the command
                (*command, str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                start_new_session=True,
            )
        ours.settimeout(ANSWER_TIMEOUT_S)
        self._control = ours
        self.process_id = process.pid
        self.close = weakref.finalize(self, _close, process, ours)

    @property
    def is_well(self) -> bool:
        """False after it failed to answer."""
        return self._control.fileno() >= 0

    def fork(self) -> ForkedParser:
        """A parser, to be ended by the caller before the next one.

        Raises:
            NurseryGone: nothing was forked.
        """
        read_request, request = os.pipe()
        output, write_output = os.pipe()
        try:
            socket.send_fds(self._control, [b"b"], [read_request, write_output])
        except OSError as fault:
            for descriptor in (request, output):
                os.close(descriptor)
            raise NurseryGone("The process that forks parsers is gone.") from fault
        finally:
            for descriptor in (read_request, write_output):
                os.close(descriptor)
        return ForkedParser(request, output, self._control)


def _close(process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    control.close()
    # Not reaped yet, so that the number is its own; its parsers are of its group.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
