"""Parses each file in a child process of its own, which may die of it."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from haylift.domain.chunks import Block, ParsedDocument
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected

COMMAND = (sys.executable, "-P", "-S", "-m", "haylift.parsing")
"""`-P`: the working folder is no place to import from; `-S`: where modules lie is given, not searched."""

MAX_BYTES_PER_CHAR = 6
"""A control character as JSON writes it; UTF-8 takes 4 at most."""

LINE_BYTES = 4_096
"""Room for what a block's line holds beside its text, and for the first and the last line."""

READ_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class ParserLimits:
    """What one file may cost.

    Args:
        time_s: of the wall clock and, apart, of the processor.
        memory_bytes: of the child's address space.
        output_chars: of text.
    """

    time_s: float
    memory_bytes: int
    output_chars: int


class ParserProcess:
    """Runs `python -m haylift.parsing` with an empty environment, pipes and limits (port `Parser`).

    Pipes and no multiprocessing: Lambda has no `/dev/shm`.
    """

    def __init__(
        self,
        limits: ParserLimits,
        *,
        command: tuple[str, ...] = COMMAND,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._command = command
        self._now = now

    def parse(self, file: Path, key: DocumentKey, content_type: str) -> ParsedDocument:
        """Parses within the limits; nothing is cut silently.

        Raises:
            DocumentRejected: with the parser's reason; `parser_limit` when a limit ended it, `damaged`
                when it died of the file.
        """
        request = {
            "file": str(file),
            "name": PurePosixPath(key.path).name,
            "content_type": content_type,
            "memory_bytes": self._limits.memory_bytes,
            "time_s": self._limits.time_s,
            "output_chars": self._limits.output_chars,
        }
        with subprocess.Popen(  # noqa: S603  # our own module, nothing of the user's in the command
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        ) as process:
            try:
                output = self._output(process, json.dumps(request).encode())
                status = process.wait(timeout=1.0)
            except (DocumentRejected, subprocess.TimeoutExpired) as fault:
                process.kill()
                raise _limit_reached() from fault
            except BrokenPipeError:
                status = process.wait()
                output = b""
        return _document(output, status)

    def _output(self, process: "subprocess.Popen[bytes]", request: bytes) -> bytes:
        """Everything the child wrote, read as it comes."""
        ends_at = self._now() + self._limits.time_s
        most_bytes = self._limits.output_chars * MAX_BYTES_PER_CHAR + LINE_BYTES
        if process.stdin is None or process.stdout is None:
            raise ValueError("the child has pipes")
        with process.stdin as pipe:
            pipe.write(request)
        output = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(timeout=max(0.0, ends_at - self._now())):
                part = os.read(process.stdout.fileno(), READ_BYTES)
                if not part:
                    return bytes(output)
                output += part
                if len(output) > most_bytes:
                    break
        raise _limit_reached()


def _limit_reached() -> DocumentRejected:
    return DocumentRejected(
        "The file costs more time, memory or text than the limits.", reason="parser_limit"
    )


def _environment() -> dict[str, str]:
    """Nothing of ours but where the modules lie, and Lambda's own path of shared libraries."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def _document(output: bytes, status: int) -> ParsedDocument:
    """The answer's document. A child that a file took over can write anything, so nothing is assumed."""
    try:
        lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        verdict = lines.pop() if output.endswith(b"\n") else {}
        if "rejected" in verdict:
            raise DocumentRejected(str(verdict["detail"]), reason=str(verdict["rejected"]))
        if verdict.get("end") is True:
            return _read(lines, verdict["omissions"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        status = max(status, 0)
    # Without a verdict it died: by the kernel's limits (a signal), or of the file.
    reason = "parser_limit" if status < 0 else "damaged"
    raise DocumentRejected("The parser died of the file.", reason=reason)


def _read(lines: list[dict[str, Any]], omissions: dict[str, Any]) -> ParsedDocument:
    first, *blocks = lines
    return ParsedDocument(
        title=str(first["title"]),
        media_type=str(first["media_type"]),
        blocks=tuple(
            Block(
                text=str(line["text"]),
                page=None if line["page"] is None else int(line["page"]),
                slide=None if line["slide"] is None else int(line["slide"]),
                sheet=str(line["sheet"]),
                headings=tuple(map(str, line["headings"])),
                is_table=bool(line["is_table"]),
            )
            for line in blocks
        ),
        omissions={str(kind): int(count) for kind, count in omissions.items()},
    )
