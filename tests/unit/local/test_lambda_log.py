"""Lines of a function are there as soon as they are written, once each, whoever reads."""

import os
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from local.emulator.lambda_log import LogPipe


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The two ends of a pipe, unbuffered."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "wb", 0) as writer:
        yield reader, writer


def test_drain_gives_what_was_written(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    lines: list[str] = []
    log = LogPipe(pipe[0], lines.append)

    pipe[1].write(b"one\r\ntwo\nhal")
    log.drain()
    assert lines == ["one", "two"]

    pipe[1].write(b"f\n")
    log.drain()
    assert lines == ["one", "two", "half"]


def test_pump_and_drain_together_give_each_line_once_and_in_order(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    lines: list[str] = []
    log = LogPipe(pipe[0], lines.append)
    pump = threading.Thread(target=log.pump)
    pump.start()

    for number in range(500):
        pipe[1].write(b"%d\n" % number)
        log.drain()
        assert len(lines) == number + 1
    pipe[1].write(b"without an end")
    pipe[1].close()
    pump.join(5)

    assert lines == [*map(str, range(500)), "without an end"]
    assert pipe[0].closed
