"""The child process: real files, real limits, real deaths."""

import io
import os
import selectors
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.adapters import parser_nursery
from haylift.adapters.parser_nursery import NurseryGone
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.domain.chunks import ParsedDocument
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DocumentRejected
from haylift.ports import ParserOrder
from haylift.resilience import Deadline

from tests.fakes.parsers import forked
from tests.unit.ingestion.files import PNG, encrypted, handbook, pdf, with_part, word

KEY = DocumentKey("acme", "a.md")
LIMITS = ParserLimits(time_s=20.0, memory_bytes=1_073_741_824, output_chars=1_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "document"


def parse(file: Path, name: str, data: bytes, parser: ParserProcess | None = None) -> ParsedDocument:
    file.write_bytes(data)
    return (parser or ParserProcess(LIMITS)).parse(file, DocumentKey("acme", name), "")


@pytest.mark.parametrize(
    ("name", "data", "title", "text"),
    [
        ("notes.md", b"# Cats\n\nThey purr.", "Cats", "They purr."),
        ("notes.txt", "Katzen schnurren; 猫.".encode(), "notes", "Katzen schnurren; 猫."),
        ("notes.html", b"<title>Cats</title><p>They purr.", "Cats", "They purr."),
        ("liar.txt", pdf("They purr."), "liar", "They purr."),
        ("notes.docx", word(handbook), "The handbook", "Welcome."),
        ("odd\x00 name\n%.md", b"text", "odd\x00 name\n%", "text"),
    ],
)
def test_a_file_becomes_blocks(file: Path, name: str, data: bytes, title: str, text: str) -> None:
    parsed = parse(file, name, data)

    assert parsed.title == title
    assert parsed.blocks[0].text == text


def paragraph_bomb() -> bytes:
    body = b"<w:p><w:r><w:t>" + b"x" * 1_000 + b"</w:t></w:r></w:p>"
    xml = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    return with_part(word(), "word/document.xml", xml + body * 100_000 + b"</w:body></w:document>")


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(60):
            archive.writestr(f"word/media/{number}.png", bytes(4_000_000))
        archive.writestr("word/document.xml", "<x/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.md", b"", "empty"),
        ("blank.md", b" \n\t\n", "no_text"),
        ("drawing.pdf", pdf(""), "no_text"),
        ("locked.pdf", encrypted(pdf("secret text"), "secret"), "encrypted"),
        ("truncated.pdf", pdf("some text")[:-300], "damaged"),
        ("headless.docx", word()[:2_000], "damaged"),
        ("picture.pdf", PNG, "unsupported_format"),
        ("paragraphs.docx", paragraph_bomb(), "parser_limit"),
        ("zeros.docx", zip_bomb(), "parser_limit"),
        ("nested.md", b"> " * 20_000 + b"x", "damaged"),
        ("much.txt", b"word " * 300_000, "parser_limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_ends_with_a_reason(file: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        parse(file, name, data)

    assert rejected.value.reason == reason


def test_the_memory_of_the_child_is_limited(file: Path) -> None:
    small = ParserProcess(replace(LIMITS, memory_bytes=120_000_000))

    with pytest.raises(DocumentRejected) as rejected:
        parse(file, "large.txt", b"word " * 30_000_000, small)

    assert rejected.value.reason == "parser_limit"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import time; time.sleep(60)", "parser_limit"),
        ("while True: print('x' * 1000)", "damaged"),
        ("while True: print('x' * 1000, end='')", "parser_limit"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "parser_limit"),
        ("raise SystemExit(3)", "damaged"),
        ("print('{')", "damaged"),
        ("print('[]')", "damaged"),
        ("""print('{"rejected": "a_new_one", "detail": "x"}')""", "damaged"),
        ("""print('{"rejected": ["empty"], "detail": "x"}')""", "damaged"),
        ("""print('{"rejected": "no_text", "detail": "x"}')""", "no_text"),
        ("pass", "damaged"),
        ("import os, time; os.close(1); time.sleep(60)", "parser_limit"),
    ],
)
def test_a_child_that_dies_hangs_or_babbles_is_a_verdict(file: Path, code: str, reason: str) -> None:
    parser = ParserProcess(replace(LIMITS, time_s=0.5, output_chars=1_000), command=forked(code))

    with pytest.raises(DocumentRejected) as rejected:
        parse(file, "a.md", b"text", parser)

    assert rejected.value.reason == reason


def test_the_child_knows_nothing_of_our_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    telling = (
        "import json, os; print(json.dumps({'title': ' '.join(sorted(os.environ)), 'media_type': ''}));"
        "print(json.dumps({'end': True, 'omissions': {}}))"
    )

    parsed = parse(file, "a.md", b"text", ParserProcess(LIMITS, command=forked(telling)))

    frugal = {"MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    assert set(parsed.title.split()) <= {"LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONUTF8"} | frugal


def test_one_process_forks_the_parsers_of_many_files(file: Path) -> None:
    parser = ParserProcess(LIMITS, command=forked(tell("os.getppid()")))

    first, second = (parse(file, "a.md", b"text", parser).title for _ in range(2))

    assert first == second


def tell(expression: str) -> str:
    """A parser that gives the value as the title."""
    return (
        f"import json, os, sys; print(json.dumps({{'title': str({expression}), 'media_type': ''}}));"
        "print(json.dumps({'end': True, 'omissions': {}}))"
    )


def test_what_one_parser_changes_in_itself_is_gone_with_the_next_file(file: Path) -> None:
    count = "sys.modules.setdefault('count', []).append(1) or len(sys.modules['count'])"
    parser = ParserProcess(LIMITS, command=forked(tell(count)))

    assert [parse(file, "a.md", b"text", parser).title for _ in range(2)] == ["1", "1"]


def test_a_limit_that_one_file_reached_holds_for_none_after_it(file: Path) -> None:
    parser = ParserProcess(replace(LIMITS, memory_bytes=120_000_000))

    with pytest.raises(DocumentRejected):
        parse(file, "large.txt", b"word " * 30_000_000, parser)

    assert parse(file, "small.txt", b"They purr.", parser).blocks[0].text == "They purr."


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGSTOP"])
def test_a_parser_that_harms_its_nursery_says_nothing_about_the_file(
    file: Path, signal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser_nursery, "ANSWER_TIMEOUT_S", 0.2)
    harm = (
        f"import os, signal\nif open({str(file)!r}).read() == 'bad': os.kill(os.getppid(), signal.{signal})\n"
    )
    parser = ParserProcess(LIMITS, command=forked(harm + tell("os.getppid()")))
    before = parse(file, "good.md", b"good", parser).title
    file.write_text("bad")
    order = ParserOrder(file=file, key=KEY, content_type="", deadline=Deadline.after(20))

    with suppress(NurseryGone):
        list(parser.parts(order))

    assert parse(file, "good.md", b"good", parser).title != before


def test_nursery_and_parser_end_with_the_worker(file: Path) -> None:
    """Also when it is killed: nothing but the kernel closes its sockets then."""
    script = (
        "import sys, os\nfrom pathlib import Path\n"
        "from haylift.adapters.parser_nursery import Nursery\n"
        f"nursery = Nursery({forked('import time; time.sleep(60)')!r}, dict(os.environ))\n"
        "parser = nursery.fork()\n"
        "print(nursery.process_id, flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        nursery = int(worker.stdout.readline())
        gone = os.pidfd_open(nursery)
        worker.kill()

    with selectors.DefaultSelector() as selector:
        selector.register(gone, selectors.EVENT_READ)
        assert selector.select(timeout=20)
    os.close(gone)
