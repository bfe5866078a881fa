"""Reads bytes as the child process does, without the process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from haylift.domain.chunks import Block
from haylift.parsing.converter import SourceFile
from haylift.parsing.registry import choose


@dataclass(frozen=True)
class Read:
    """What became of a file."""

    module: str
    title: str
    blocks: list[Block]
    omissions: dict[str, int]

    @property
    def texts(self) -> list[str]:
        return [block.text for block in self.blocks]


type Reader = Callable[..., Read]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def run(name: str, data: bytes, content_type: str = "") -> Read:
        path = tmp_path / "document"
        path.write_bytes(data)
        place = Path(name)
        source = SourceFile(
            path=path, stem=place.stem, extension=place.suffix.lower(), content_type=content_type
        )
        chosen = choose(source)
        converted = chosen.converter()(source)
        blocks = [block for block in converted.blocks if block.text]
        return Read(chosen.module, converted.title, blocks, dict(+converted.omissions))

    return run
