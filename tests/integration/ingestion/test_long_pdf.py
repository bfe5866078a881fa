"""A long PDF under real kills: worker and parser are processes, the index is the real one.

`HAYLIFT_LAB=full` takes 2,000 pages and five kills; without it 120 pages and two.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
from haylift.adapters.s3_texts import S3Texts
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.identity import Scope
from haylift.domain.texts import TEXTS_PREFIX, TextPlace, text_of
from haylift.ports import LegQuery

from tests.fakes.texts import FolderS3
from tests.integration.ingestion.long_pdf import long_pdf, sentence
from tests.integration.ingestion.long_worker import GENERATION, KEY

IS_FULL = os.environ.get("HAYLIFT_LAB") == "full"
PAGES = 2_000 if IS_FULL else 120
SHARES = (0.0, 0.1, 0.4, 0.7, 0.9) if IS_FULL else (0.0, 0.6)
"""How much is embedded when a worker is killed; 0: while it parses, after the first part."""

PATIENCE_S = 400.0 if IS_FULL else 60.0


@dataclass
class Life:
    """A folder of work, and the workers that came and went."""

    folder: Path
    file: Path

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def parts(self) -> int:
        return len(list((self.folder / "s3" / TEXTS_PREFIX).rglob("*.gz")))

    def work_until(self, is_time: Callable[[], bool]) -> None:
        """A worker, killed with its parser when it is time, unless it ends before."""
        command = [sys.executable, "-m", "tests.integration.ingestion.long_worker"]
        # A session of its own, as a container has: the kill takes everything in it along.
        with subprocess.Popen([*command, self.folder, self.file]) as worker:
            ends_at = monotonic() + PATIENCE_S
            while worker.poll() is None and monotonic() < ends_at and not is_time():
                try:
                    worker.wait(0.01)
                except subprocess.TimeoutExpired:
                    continue
            worker.send_signal(signal.SIGKILL)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    file = tmp_path / "document"
    file.write_bytes(long_pdf(PAGES))
    return Life(tmp_path, file)


def no_page_is_embedded_twice(embedded: list[str], *, kills: int) -> None:
    """But those of the one call that a kill may have cut off between the model's answer and the write."""
    twice = Counter(embedded)
    assert set(twice) == {sentence(page) for page in range(1, PAGES + 1)}
    assert sum(count - 1 for count in twice.values()) <= kills * 16
    assert max(twice.values()) <= 2


@pytest.mark.timeout(900)
def test_a_long_pdf_survives_kills_and_no_page_is_embedded_twice(life: Life) -> None:
    for share in SHARES:
        wanted = int(share * PAGES)
        started = life.parts()
        life.work_until(
            lambda wanted=wanted, started=started: (  # type: ignore[misc]  # bound at once
                len(life.lines("embedded")) > wanted if wanted else life.parts() > started
            )
        )
        assert not life.lines("done")

    life.work_until(lambda: False)

    assert life.lines("done") == [str(PAGES)]
    no_page_is_embedded_twice(life.lines("embedded"), kills=len(SHARES))
    every_citation_leads_to_its_text(life)
    something_moves_at_least_every_ten_seconds(life.lines("shown"))
    assert life.parts() == (40 if IS_FULL else 3)


def every_citation_leads_to_its_text(life: Life) -> None:
    index, texts = SqliteIndex(life.folder / "index"), S3Texts("uploads", FolderS3(life.folder / "s3"))
    asked = LegQuery(text=f"year {1000 + PAGES}", vector=None, depth=PAGES)
    hits = index.retrieve(asked, Scope(tenant="acme", groups=frozenset()), GENERATION).keyword
    index.close()
    text = whole_text(life, texts)

    best = hits[0].chunk
    assert (best.page, best.text) == (PAGES, sentence(PAGES))
    assert all(text[hit.chunk.start_char : hit.chunk.end_char] == hit.chunk.text for hit in hits)
    assert len(hits) > 1


def whole_text(life: Life, texts: S3Texts) -> str:
    """The stored text as a reader of citations puts it together."""
    ((_, _, _, revision, digest),) = {
        file.relative_to(life.folder / "s3").parts[:5] for file in (life.folder / "s3").rglob("*.gz")
    }
    place = TextPlace(tenant="acme", document_id=KEY.document_id, revision=int(revision), digest=digest)
    parts = [texts.get(place, number) for number in range(texts.count(place))]
    return text_of(block for part in parts if part for block in part.document.blocks)


def something_moves_at_least_every_ten_seconds(shown: list[str]) -> None:
    """Within one worker's life: those of the next one begin again at `parse`."""
    before_s, before = 0.0, ""
    for line in shown:
        time_s, moved = line.split(" ", 1)
        if moved != "5 parse" and before:
            assert float(time_s) - before_s <= 10
        assert moved != before or moved == "5 parse"
        before_s, before = float(time_s), moved


def test_embedding_twice_fails_the_same_check() -> None:
    pages = [sentence(page) for page in range(1, PAGES + 1)]

    with pytest.raises(AssertionError):
        no_page_is_embedded_twice(pages + pages, kills=3)
