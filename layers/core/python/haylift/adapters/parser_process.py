"""Parses each file in a child process of its own, which may die of it."""

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from haylift.adapters.parser_budget import Budget, ParserLimits, limit_reached
from haylift.adapters.parser_lines import Line, Parts, lines_of
from haylift.adapters.parser_nursery import COMMAND, ForkedParser, Nursery, NurseryGone
from haylift.domain.chunks import ParsedDocument
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected
from haylift.domain.texts import TextPart
from haylift.ports.texts import ParserOrder
from haylift.resilience import Deadline

__all__ = ["ParserLimits", "ParserProcess"]

RECIPE = "2"
"""Raised whenever a converter gives other text for the same bytes, or parts are cut elsewhere.

`tests/contract/drift/test_recipe.py` notices when it was forgotten.
"""


class ParserProcess:
    """Runs `haylift.parsing` in a process for each file, without environment, under limits (port `Parser`).

    The process is forked by one that has Python and the light converters loaded, and lives as long as this
    object: see `parser_nursery`.

    A child streams its blocks, so that neither process ever holds more than one part of a long file. It
    begins at any page: one that used up its memory after some parts is followed by a fresh one.

    Args:
        limits: of each file.
        ocr: whether pictures of text are read too.
        command: of the process that forks the children.
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
        self._idle: list[Nursery] = []

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
        nursery, parser = self._fork()
        status: int | None = None
        try:
            parser.send(json.dumps(request).encode())
            yield from lines_of(parser.output, budget, self._now)
            status = parser.end()
        finally:
            if status is None:
                with suppress(NurseryGone):
                    parser.end()
            if nursery.is_well:
                self._idle.append(nursery)
            else:
                nursery.close()
        # Without a verdict it died: by the kernel's limits (a signal), or of the file.
        if status < 0:
            raise limit_reached()
        raise DocumentRejected("The parser died of the file.", reason="damaged")

    def _fork(self) -> tuple[Nursery, ForkedParser]:
        """A parser, and its nursery: an idle one, or a new one if there is none or it died while idle."""
        with suppress(IndexError, NurseryGone):
            nursery = self._idle.pop()
            return nursery, nursery.fork()
        nursery = Nursery(self._command, _environment())
        return nursery, nursery.fork()


def _environment() -> dict[str, str]:
    """Where the modules lie, how many threads, and Lambda's own path of shared libraries; nothing else."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"}
    # Each thread and each arena of its own reserves up to 64 MiB of the address space that is limited.
    environment |= {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment
