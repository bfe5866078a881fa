"""Texts in memory, and a parser that gives what it was made with."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from botocore.exceptions import ClientError
from haylift.domain.chunks import ParsedDocument
from haylift.domain.texts import TextPart, TextPlace
from haylift.ports.texts import ParserOrder


@dataclass
class MemoryTexts:
    """`StoredTexts` over a dictionary."""

    stored: dict[TextPlace, dict[int, TextPart]] = field(default_factory=dict)

    def put(self, place: TextPlace, part: TextPart) -> None:
        self.stored.setdefault(place, {})[part.number] = part

    def get(self, place: TextPlace, number: int) -> TextPart | None:
        return self.stored.get(place, {}).get(number)

    def count(self, place: TextPlace) -> int:
        numbers = self.stored.get(place, {})
        return next(number for number in range(len(numbers) + 1) if number not in numbers)

    def size(self, tenant: str, document_id: str, revision: int) -> int:
        return sum(
            len(parts)
            for place, parts in self.stored.items()
            if (place.tenant, place.document_id, place.revision) == (tenant, document_id, revision)
        )

    def remove(
        self, tenant: str, document_id: str, *, keep_revision: int, up_to_revision: int | None = None
    ) -> int:
        gone = [
            place
            for place in self.stored
            if (place.tenant, place.document_id) == (tenant, document_id)
            and place.revision != keep_revision
            and (up_to_revision is None or place.revision <= up_to_revision)
        ]
        return sum(len(self.stored.pop(place)) for place in gone)


@dataclass
class FixedParser:
    """`Parser` that gives what it was made with, `blocks_per_part` at a time; each block is a page then.

    `begun` are the pages that its orders began with.
    """

    parsed: ParsedDocument
    blocks_per_part: int = 0
    recipe: str = "fixed"
    begun: list[int] = field(default_factory=list)

    def parts(self, order: ParserOrder) -> Iterator[TextPart]:
        first = order.after.last_page if order.after else 0
        self.begun.append(first + 1)
        if not self.blocks_per_part:
            yield TextPart(document=self.parsed)
            return
        count = len(self.parsed.blocks)
        for start in range(first, count, self.blocks_per_part):
            end = min(count, start + self.blocks_per_part)
            order.on_page(end, count)
            yield TextPart(
                document=replace(self.parsed, blocks=self.parsed.blocks[start:end]),
                last_page=end,
                page_count=count,
                is_last=end == count,
            )


class FolderS3:
    """As much of an `s3` client as `S3Texts` needs, over a folder that several processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:  # boto3's names
        target = self._folder / Key
        target.parent.mkdir(parents=True, exist_ok=True)
        started = target.with_suffix(f".{os.getpid()}")
        started.write_bytes(Body)
        started.rename(target)  # an object is there whole or not at all

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, BinaryIO]:
        try:
            return {"Body": BytesIO((self._folder / Key).read_bytes())}
        except FileNotFoundError:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject") from None

    def get_paginator(self, _: str) -> "FolderS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, list[dict[str, str]]]]:
        files = sorted(file for file in (self._folder / Prefix).rglob("*.gz"))
        return [{"Contents": [{"Key": str(file.relative_to(self._folder))} for file in files]}]
