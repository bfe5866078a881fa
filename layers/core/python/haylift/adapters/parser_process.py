"""Parses each file in a child process of its own, which may die of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from haylift.adapters.parser_budget import Budget, ParserLimits, limit_reached
from haylift.adapters.parser_lines import Line, Parts, lines_of
from haylift.domain.chunks import ParsedDocument
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected
from haylift.domain.texts import TextPart
from haylift.ports.texts import ParserOrder
from haylift.resilience import Deadline

__all__ = ["ParserLimits", "ParserProcess"]

COMMAND = (sys.executable, "-P", "-S", "-m", "haylift.parsing")
"""`-P`: the working folder is no place to import from; `-S`: where modules lie is given, not searched."""

RECIPE = "2"
"""Raised whenever a converter gives other text for the same bytes, or parts are cut elsewhere.

`tests/contract/drift/test_recipe.py` notices when it was forgotten.
"""


class ParserProcess:
    """Runs `python -m haylift.parsing` with an empty environment, pipes and limits (port `Parser`).

    Pipes and no multiprocessing: Lambda has no `/dev/shm`.

    A child streams its blocks, so that neither process ever holds more than one part of a long file. It
    begins at any page: one that used up its memory after some parts is followed by a fresh one.

    Args:
        limits: of each file.
        ocr: whether pictures of text are read too.
    """

    def __init__(
        self,
        limits: ParserLimits,
        *,
        ocr: bool = False,
        command: tuple[str, ...] = COMMAND,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._ocr = ocr
        self._command = command
        self._now = now

    @property
    def recipe(self) -> str:
        """Changes whenever the same bytes would give other text or other parts."""
        return f"{RECIPE};ocr" if self._ocr else RECIPE

    def parse(self, file: Path, key: DocumentKey, content_type: str) -> ParsedDocument:
        """The whole file in memory: for small ones, outside of an ingestion. Raises as `parts`."""
        seconds = self._limits.total_time_s + 1.0
        order = ParserOrder(file=file, key=key, content_type=content_type, deadline=Deadline.after(seconds))
        documents = [part.document for part in self.parts(order)]
        omissions: dict[str, int] = {}
        for document in documents:
            for kind, count in document.omissions.items():
                omissions[kind] = omissions.get(kind, 0) + count
        blocks = tuple(block for document in documents for block in document.blocks)
        return replace(documents[0], blocks=blocks, omissions=omissions)

    def parts(self, order: ParserOrder) -> Iterator[TextPart]:
        """Parses within the limits, part by part; nothing is cut silently.

        Raises:
            DocumentRejected: with the parser's reason; `parser_limit` when a limit ended it, `damaged`
                when it died of the file.
            DeadlineExceeded: the order's deadline was earlier than any limit.
        """
        budget = Budget(self._limits, order.after, order.deadline)
        after = order.after
        while True:
            parts = Parts(after, budget, order.on_page)
            # Closed at once when the consumer stops: no child outlives the order that it works on.
            lines = self._lines(self._request(order, after, budget), budget)
            try:
                yield from parts.of(lines)
            finally:
                lines.close()
            has_advanced = parts.last is not None and parts.last is not after
            if parts.last is not None and has_advanced and parts.last.is_last:
                return
            if parts.last is None or not has_advanced or not parts.last.page_count:
                raise limit_reached()
            after = parts.last

    def _request(self, order: ParserOrder, after: TextPart | None, budget: Budget) -> Line:
        return {
            "file": str(order.file),
            "name": PurePosixPath(order.key.path).name,
            "content_type": order.content_type,
            "first_page": after.last_page + 1 if after else 1,
            "pages": self._limits.pages,
            "unpacked_ratio": self._limits.unpacked_ratio,
            "ocr": self._ocr,
            "memory_bytes": self._limits.memory_bytes,
            "time_s": self._limits.time_s,
            "total_time_s": max(self._limits.time_s, self._limits.total_time_s - budget.spent_s),
            "output_chars": budget.chars_left,
        }

    def _lines(self, request: Line, budget: Budget) -> Generator[Line]:
        """What the child says, as it comes; ends with its verdict."""
        with subprocess.Popen(  # noqa: S603  # our own module, nothing of the user's in the command
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        ) as process:
            try:
                _send(process, request)
                yield from lines_of(process, budget, self._now)
                status = process.wait(timeout=1.0)
            except subprocess.TimeoutExpired as fault:
                raise limit_reached() from fault
            finally:
                process.kill()
        # Without a verdict it died: by the kernel's limits (a signal), or of the file.
        if status < 0:
            raise limit_reached()
        raise DocumentRejected("The parser died of the file.", reason="damaged")


def _send(process: "subprocess.Popen[bytes]", request: Line) -> None:
    if process.stdin is None:
        raise ValueError("the child has pipes")
    try:
        with process.stdin as pipe:
            pipe.write(json.dumps(request).encode())
    except BrokenPipeError:
        # It is dead already; what it says, nothing, leads to its status.
        return


def _environment() -> dict[str, str]:
    """Where the modules lie, how many threads, and Lambda's own path of shared libraries; nothing else."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"}
    # Each thread and each arena of its own reserves up to 64 MiB of the address space that is limited.
    environment |= {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment
