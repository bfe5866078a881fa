"""The benchmark of searches measures searches that find something."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.domain.chunks import Vector
from haylift.ports.search import LegQuery

from benchmarks.search import __main__ as benchmark
from benchmarks.search.corpus import Corpus
from benchmarks.search.worker import GENERATION, SCOPE

CORPUS = Corpus(8)
CHUNKS = 300


def test_the_corpus_is_the_same_in_every_process() -> None:
    first, second = list(Corpus(8).chunks(12)), list(Corpus(8).chunks(12))

    assert first == second
    assert [each.chunk.chunk_id for each in first[8:]] == ["d0-8", "d0-9", "d1-0", "d1-1"]
    assert [len(each.vector) for each in first] == [8] * 12
    assert Corpus(8).questions(3) == Corpus(8).questions(3)


def most_find_something(folder: Path, questions: list[tuple[str, Vector]]) -> None:
    """The check: most questions have hits in both legs."""
    benchmark.build(folder, CHUNKS, CORPUS.dimensions)
    index = SqliteIndex(folder)
    legs = [
        index.retrieve(LegQuery(text=text, vector=vector, depth=10), SCOPE, GENERATION)
        for text, vector in questions
    ]
    index.close()
    assert sum(bool(each.keyword and each.semantic) for each in legs) > len(questions) / 2


def test_questions_find_something(tmp_path: Path) -> None:
    most_find_something(tmp_path, CORPUS.questions(20))


def test_questions_about_nothing_would_be_seen(tmp_path: Path) -> None:
    strangers = replace(CORPUS, _words=[f"strange{number}" for number in range(30_000)])

    with pytest.raises(AssertionError):
        most_find_something(tmp_path, strangers.questions(20))


def test_one_row_has_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    status = benchmark.main(["--chunks", "50", "--dimensions", "8", "--searches", "4", "--json"])

    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert status == 0
    assert (row["chunks"], row["dimensions"]) == (50, 8)
    assert all(row[name] > 0 for name in ("first_ms", "p50_ms", "p99_ms", "miss_ratio", "written_per_s"))
