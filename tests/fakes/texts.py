"""Texts in memory, and a parser that gives what it was made with."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

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
