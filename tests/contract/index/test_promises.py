"""Every index keeps the port's promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from haylift.adapters.sqlite_index import SqliteIndex
from haylift.ports.search import DocumentIndex

from tests.contract.index.promises import DocumentIndexPromises
from tests.fakes.index import InMemoryIndex


class TestSqliteIndex(DocumentIndexPromises):
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[DocumentIndex]:
        index = SqliteIndex(tmp_path)
        yield index
        index.close()


class TestInMemoryIndex(DocumentIndexPromises):
    @pytest.fixture
    def index(self) -> DocumentIndex:
        return InMemoryIndex()
