"""Parses one file under limits: a request on standard input, JSON lines on standard output.

The first line is the document, then comes one line for each block and one at the end of each page, the
last one is the verdict. Lines come as they are made: a child may be ended at any moment.
"""

import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.registry import choose

type Line = dict[str, Any]
"""A line of the answer: the document, a block, the end of a page or the verdict."""


def main() -> int:
    """Answers the one request; every fault of the file is a line, not an exit status."""
    request = json.load(sys.stdin)
    processor = _Processor(request["time_s"], request["total_time_s"])
    _limit(request["memory_bytes"], processor)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        for line in _lines(request):
            _write(line)
            if "page_end" in line:
                sys.stdout.buffer.flush()
                processor.allow_next_page()
        sys.stdout.buffer.flush()
        return 0
    except MemoryError:
        detail = "The file needs more memory than the limit."
        verdict: Line = {"rejected": "parser_limit", "detail": detail, "memory": True}
    except DocumentRejected as rejection:
        verdict = {"rejected": rejection.reason, "detail": rejection.detail}
    # The outermost loop of this process: whatever a library raises over a file is a verdict on the file.
    except Exception as fault:
        verdict = {"rejected": "damaged", "detail": f"The file cannot be read ({type(fault).__name__})."}
    _write(verdict)
    sys.stdout.buffer.flush()
    return 0


def _write(line: Line) -> None:
    text = json.dumps(line, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")


class _Processor:
    """The kernel's limit of processor time, from one page to the next, and of the whole file."""

    def __init__(self, time_s: float, total_time_s: float) -> None:
        self._time_s = int(time_s) + 1
        self._most_s = max(self._time_s, int(total_time_s) + 1)

    def allow_next_page(self) -> None:
        """Gives the next page as much time as the first one had."""
        used_s = int(time.process_time()) + self._time_s
        resource.setrlimit(resource.RLIMIT_CPU, (min(used_s, self._most_s), self._most_s))


def _limit(memory_bytes: int, processor: _Processor) -> None:
    """The kernel's own limits, set before any byte of the file is read."""
    processor.allow_next_page()
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lines(request: Line) -> Iterator[Line]:
    name = Path(request["name"])
    source = SourceFile(
        path=Path(request["file"]),
        stem=name.stem,
        extension=name.suffix.lower(),
        content_type=request["content_type"],
        ocr=request.get("ocr", False),
        first_page=request["first_page"],
        unpacked_ratio=request["unpacked_ratio"],
    )
    chosen = choose(source)
    converted = chosen.converter()(source)
    if converted.page_count > request["pages"]:
        raise DocumentRejected("The file has more pages than the limit.", reason="parser_limit")
    yield {
        "title": converted.title or name.stem,
        "media_type": chosen.media_type,
        "page_count": converted.page_count,
    }
    chars = 0
    for block in converted.blocks:
        if block.ends_page:
            # Pages of a file inside this one are none of its own.
            if converted.page_count:
                yield {"page_end": block.page, "omissions": dict(converted.omissions)}
            continue
        chars += len(block.text)
        if chars > request["output_chars"]:
            raise DocumentRejected("The file holds more text than the limit.", reason="parser_limit")
        yield _block_line(block)
    # Of a file that was begun before, whoever has the first pages says it.
    if not chars and source.first_page == 1:
        raise _nothing(converted)
    yield {"end": True, "omissions": dict(converted.omissions)}


def _nothing(converted: Converted) -> DocumentRejected:
    if converted.omissions.total():
        return DocumentRejected("No part of the file can be read.", reason="damaged")
    return DocumentRejected("The file holds no text.", reason="no_text")


def _block_line(block: Block) -> Line:
    return {
        "text": block.text,
        "page": block.page,
        "slide": block.slide,
        "sheet": block.sheet,
        "headings": block.headings,
        "is_table": block.is_table,
        "is_ocr": block.is_ocr,
    }


if __name__ == "__main__":
    sys.exit(main())
