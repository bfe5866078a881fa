"""Every hostile file ends with a verdict, within its limits, and harms nobody.

Every run tries a sample; `HAYLIFT_LAB=full` tries all of them (`make verify`, some minutes).
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.domain.documents import DocumentKey

from tests.fakes.parsers import forked
from tests.hostile.corpus import SEARCHABLE, HostileFile, corpus
from tests.hostile.trial import LIMITS, Bench, faults

IS_FULL = os.environ.get("HAYLIFT_LAB") == "full"
SAMPLE = (
    "lying-sizes.docx", "late-xxe.docx", "ebcdic-doctype.docx", "laughing-package.epub", "page-loop.pdf",
    "truncated.pdf", "spaces.txt", "combining-marks.txt", "deep.json", "remote.html",
)  # fmt: skip
FILES = {file.name: file for file in corpus()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def found(bench: Bench, file: HostileFile) -> list[str]:
    trial = bench.try_file(file)
    return faults(file, trial, neighbour_lives=bench.try_neighbour())


def test_there_are_enough_files_of_all_kinds() -> None:
    kinds = {Path(name).suffix for name in FILES}

    assert len(FILES) >= 40
    assert kinds >= {".docx", ".pptx", ".xlsx", ".pdf", ".epub", ".eml", ".rtf", ".csv", ".json", ".html"}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", FILES if IS_FULL else SAMPLE, ids=range(len(FILES if IS_FULL else SAMPLE)))
def test_a_hostile_file_ends_with_a_verdict(bench: Bench, name: str) -> None:
    assert found(bench, FILES[name]) == []


def test_the_same_files_are_made_each_time() -> None:
    assert FILES["overlapping.docx"].make() == FILES["overlapping.docx"].make()
    assert FILES["remote-template.docx"].make() == FILES["remote-template.docx"].make()


def test_what_cannot_be_read_is_said_with_its_amount(bench: Bench) -> None:
    trial = bench.try_file(FILES["broken-page.pdf"])

    row = bench.row(DocumentKey("acme", "broken-page.pdf"))
    assert (trial.outcome, row.partial, row.partial_detail) == (SEARCHABLE, True, "1 pages")


WRONG = """
import sys, time
import haylift.parsing.__main__ as child
from haylift.parsing.nursery import serve
from haylift.domain.chunks import Block
from haylift.parsing.converter import Converted

class Wrong:
    media_type = "text/plain"
    def converter(self):
        return lambda source: Converted(title="", blocks=[Block(text=body(source))])

def body(source):
    data = source.path.read_bytes()
{code}

child.choose = lambda source: Wrong()
child._limit = lambda *_: None
serve(int(sys.argv[-1]), child.main)
"""


def wrong_parser(code: str) -> tuple[str, ...]:
    """The child process without limits, that reads every file in its own way."""
    return (sys.executable, "-P", "-S", "-c", WRONG.replace("{code}", code))


@pytest.mark.parametrize(
    ("name", "code", "fault"),
    [
        ("lying-sizes.docx", "    return 'cut off'", "ended as SEARCHABLE"),
        ("truncated.pdf", "    return data[:5].decode()", "ended as SEARCHABLE"),
        ("spaces.txt", "    import os; os.kill(os.getpid(), 9)", "ended as parser_limit"),
        ("remote.html", "    time.sleep(600)", "ended as parser_limit"),
    ],
)
def test_a_parser_that_cuts_or_dies_would_be_seen(tmp_path: Path, name: str, code: str, fault: str) -> None:
    limits = replace(LIMITS, time_s=3.0)
    bench = Bench(tmp_path, limits=limits, command=wrong_parser(code))

    trial = bench.try_file(FILES[name])

    assert fault in faults(FILES[name], trial, neighbour_lives=True)
    bench.close()


def test_a_parser_without_limits_would_be_seen(tmp_path: Path) -> None:
    hoard = "    hoard = bytearray(1_200_000_000)\n    hoard[::4096] = b'x' * len(hoard[::4096])\n"
    bench = Bench(tmp_path, command=wrong_parser(hoard + "    time.sleep(0.2)\n    return 'x' * 10"))

    trial = bench.try_file(FILES["remote.html"])

    assert "took too much memory" in faults(FILES["remote.html"], trial, neighbour_lives=True)
    bench.close()


def test_a_parser_that_reaches_out_would_be_seen(tmp_path: Path) -> None:
    script = (
        "import socket\nsocket.socket().connect_ex(('127.0.0.1', 9))\n"
        "try: open('/dev/shm/x').read()\nexcept OSError: pass\n"
        "from haylift.parsing.__main__ import main; main()"
    )
    watching = (
        "import os\nfrom tests.hostile.watched_parser import watch\nwatch(os.open(sys.argv[1], os.O_WRONLY))"
    )
    bench = Bench(tmp_path, command=forked(script, str(tmp_path / "told"), before=watching))

    trial = bench.try_file(FILES["remote.html"])

    assert [line.split()[0] for line in trial.told] == ["socket.connect", "open"]
    assert faults(FILES["remote.html"], trial, neighbour_lives=False)[-1] == "its neighbour suffered"
    bench.close()
