"""Parses one file under limits: a request on standard input, JSON lines on standard output.

The first line is the document, then comes one line for each block, the last one is the verdict.
"""

import json
import logging
import resource
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile
from haylift.parsing.registry import choose

type Line = dict[str, Any]
"""A line of the answer: the document, a block or the verdict."""


def main() -> int:
    """Answers the one request; every fault of the file is a line, not an exit status."""
    request = json.load(sys.stdin)
    _limit(request["memory_bytes"], request["time_s"])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        for line in _lines(request):
            _write(line)
        sys.stdout.buffer.flush()
        return 0
    except MemoryError:
        verdict: Line = {"rejected": "parser_limit", "detail": "The file needs more memory than the limit."}
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


def _limit(memory_bytes: int, time_s: float) -> None:
    """The kernel's own limits, set before any byte of the file is read."""
    cpu_s = int(time_s) + 1
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
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
    )
    chosen = choose(source)
    converted = chosen.converter()(source)
    yield {"title": converted.title or name.stem, "media_type": chosen.media_type}
    chars = 0
    for block in converted.blocks:
        chars += len(block.text)
        if chars > request["output_chars"]:
            raise DocumentRejected("The file holds more text than the limit.", reason="parser_limit")
        yield _block_line(block)
    if not chars:
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
    }


if __name__ == "__main__":
    sys.exit(main())
