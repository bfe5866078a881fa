"""Forks a parser for each file: an interpreter that starts anew costs more than most files.

    python -m haylift.parsing.nursery DESCRIPTOR

`DESCRIPTOR` is a socket of the worker's. A byte with two pipes asks for a parser that reads its request from
the first and answers into the second; another byte ends it, and its exit status comes back. This process
opens no file of a user's, so that whatever a file does to its parser ends with the parser.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from haylift.parsing.__main__ import main

LIGHT_FORMATS = ("text", "markdown", "html", "csv", "json", "jsonl")
"""Loaded before any file comes: 30 ms and 10 MB. A library of Office or PDF is loaded by the parser that
needs it, so that its faults and its memory end with it."""

STATUS_BYTES = 4
"""Of an exit status, signed and big-endian: negative is a signal."""


def serve(descriptor: int, answer: Callable[[], int | None] = main) -> None:
    """Forks until the worker closes its end or dies; a parser under way dies with it.

    Args:
        descriptor: of the socket.
        answer: what a parser does; its result is the exit status.
    """
    with socket.socket(fileno=descriptor) as control:
        # What is loaded by now lives as long as this process: no parser shall copy it to look for garbage.
        gc.freeze()
        while True:
            _, pipes, _, _ = socket.recv_fds(control, 1, 2)
            if len(pipes) != 2:
                return
            child = os.fork()
            if child == 0:
                control.close()
                _become_parser(pipes, answer)
            for pipe in pipes:
                os.close(pipe)
            is_asked = control.recv(1)
            # One that ended before keeps its own status.
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if not is_asked:
                return
            control.sendall(os.waitstatus_to_exitcode(status).to_bytes(STATUS_BYTES, signed=True))


def _become_parser(pipes: Sequence[int], answer: Callable[[], int | None]) -> NoReturn:
    status = 1
    try:
        for stream, pipe in enumerate(pipes):
            os.dup2(pipe, stream)
            os.close(pipe)
        status = answer() or 0
        sys.stdout.flush()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        # Whatever was raised, a parser never goes on as what it was forked from.
        os._exit(status)


if __name__ == "__main__":
    for light in LIGHT_FORMATS:
        import_module(f"haylift.parsing.{light}")
    serve(int(sys.argv[1]))
