"""The progress rule: a long healthy file earns its time page by page, a bomb does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.adapters.parser_process import ParserLimits, ParserProcess
from haylift.domain.documents import DocumentKey
from haylift.domain.errors import DeadlineExceeded, DocumentRejected
from haylift.domain.texts import TextPart, text_of
from haylift.ports import ParserOrder
from haylift.resilience import Deadline

from tests.fakes.parsers import forked
from tests.integration.ingestion.long_pdf import long_pdf, sentence

LIMITS = ParserLimits(time_s=30.0, memory_bytes=2**30, output_chars=1_000_000)

PAGES = """
import json, sys, time
first = json.load(sys.stdin)["first_page"]
def say(**line): print(json.dumps(line), flush=True)
places = {"slide": None, "sheet": "", "headings": [], "is_table": False, "is_ocr": False}
def block(text, page): say(text=text, page=page, **places)
say(title="t", media_type="m", page_count=120)
for page in range(first, 121):
    %s
    block(f"page {page}", page)
    say(page_end=page, omissions={"pages": page - first + 1})
say(end=True, omissions={"pages": 121 - first})
"""


def child(work: str) -> tuple[str, ...]:
    """A parser of 120 pages that does `work` before each."""
    return forked(PAGES % work)


def order(file: Path, *, seconds: float = 60.0, after: TextPart | None = None) -> ParserOrder:
    return ParserOrder(
        file=file,
        key=DocumentKey("acme", "a.pdf"),
        content_type="",
        deadline=Deadline.after(seconds),
        after=after,
    )


def clock(step_s: float) -> Callable[[], float]:
    """Each look is `step_s` after the one before, so that waiting for a line takes that long."""
    times = iter(step_s * number for number in range(10_000))
    return lambda: next(times)


def test_pages_become_parts_of_fifty(tmp_path: Path) -> None:
    parts = list(ParserProcess(LIMITS, command=child("pass")).parts(order(tmp_path)))

    assert [(part.last_page, part.page_count, part.is_last) for part in parts] == [
        (50, 120, False),
        (100, 120, False),
        (120, 120, True),
    ]
    assert [dict(part.document.omissions) for part in parts] == [{"pages": 50}, {"pages": 50}, {"pages": 20}]


@pytest.mark.parametrize(
    ("limits", "is_healthy"),
    [
        (LIMITS, True),
        (replace(LIMITS, page_time_s=0.1), False),
        (replace(LIMITS, total_time_s=20.0), False),
    ],
)
def test_a_file_has_the_time_that_its_pages_earn(
    tmp_path: Path, limits: ParserLimits, is_healthy: bool
) -> None:
    """Each look at the output takes 0.4 s by the clock, in all more than the 30 s of a file without pages."""
    parser = ParserProcess(limits, command=child("time.sleep(0.002)"), now=clock(0.4))

    if is_healthy:
        assert list(parser.parts(order(tmp_path)))[-1].is_last
    else:
        with pytest.raises(DocumentRejected) as rejected:
            list(parser.parts(order(tmp_path)))
        assert rejected.value.reason == "parser_limit"


def test_what_earlier_attempts_took_is_not_given_back(tmp_path: Path) -> None:
    parser = ParserProcess(LIMITS, command=child("pass"))
    (first, *_) = parser.parts(order(tmp_path))

    with pytest.raises(DocumentRejected):
        list(parser.parts(order(tmp_path, after=replace(first, spent_s=80.0))))


def test_the_end_of_the_time_for_the_work_is_no_verdict(tmp_path: Path) -> None:
    parser = ParserProcess(LIMITS, command=child("time.sleep(60 * (page == 60))"))
    parts = parser.parts(order(tmp_path, seconds=3.0))

    assert next(parts).last_page == 50
    with pytest.raises(DeadlineExceeded):
        next(parts)


def test_a_child_without_memory_is_followed_by_a_fresh_one_while_it_gets_further(tmp_path: Path) -> None:
    gives_up = "if page == first + 60: say(rejected='parser_limit', detail='', memory=True); sys.exit()"

    parts = list(ParserProcess(LIMITS, command=child(gives_up)).parts(order(tmp_path)))

    assert [part.last_page for part in parts] == [50, 100, 120]
    assert text_of(block for part in parts for block in part.document.blocks).split("\n\n") == [
        f"page {page}" for page in range(1, 121)
    ]
    with pytest.raises(DocumentRejected):
        list(ParserProcess(LIMITS, command=child(gives_up.replace("60", "20"))).parts(order(tmp_path)))


def test_a_real_pdf_goes_on_at_any_page(tmp_path: Path) -> None:
    file = tmp_path / "document"
    file.write_bytes(long_pdf(60))
    parser = ParserProcess(LIMITS)
    first, second = parser.parts(order(file))

    (again,) = parser.parts(order(file, after=first))

    assert again.document == second.document
    assert [block.text for block in again.document.blocks] == [sentence(page) for page in range(51, 61)]


def test_a_file_of_too_many_pages_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "document"
    file.write_bytes(long_pdf(11))

    with pytest.raises(DocumentRejected) as rejected:
        list(ParserProcess(replace(LIMITS, pages=10)).parts(order(file)))

    assert rejected.value.reason == "parser_limit"
