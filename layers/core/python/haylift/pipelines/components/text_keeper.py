"""The component that keeps a document's text beside its file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TypedDict

from haystack import component

from haylift.domain.errors import DocumentRejected, StoreUnavailable
from haylift.domain.texts import TextPart, TextPlace
from haylift.pipelines.components.indexing_values import KeptText, ParsedFile
from haylift.ports import StoredTexts


class TextKeeperOutput(TypedDict):
    """What the keeper gives."""

    kept: KeptText


@component
class TextKeeper:
    """Keeps the whole text before anything of it is embedded: a verdict on the last page costs no embedding.

    Each part is kept as it comes, so that an attempt that ends early loses one part at most, and no more
    than one is in memory.

    Example:
        ```python
        TextKeeper(texts).run(parsed=parsed)["kept"].read()
        ```

    Args:
        texts: where it is kept.
    """

    def __init__(self, texts: StoredTexts) -> None:
        self._texts = texts

    @component.output_types(kept=KeptText)
    def run(self, parsed: ParsedFile) -> TextKeeperOutput:
        """Takes all parts, gives them numbers and places, and keeps them.

        Raises:
            DocumentRejected: `no_text` when there is none, `damaged` when none of it could be read.
            StoreUnavailable: a retry helps, and goes on behind what is kept.
        """
        last = parsed.before
        for part in parsed.parts:
            last = replace(
                part,
                number=last.number + 1 if last else 0,
                start_char=last.next_start_char if last else 0,
            )
            self._texts.put(parsed.place, last)
        if last is None or not last.is_last:
            raise ValueError("a parser ends with a last part or an error")
        text = KeptText(last=last, read=lambda: self._read(parsed.place, last))
        if not last.end_char:
            raise _nothing(text.read())
        return {"kept": text}

    def _read(self, place: TextPlace, last: TextPart) -> Iterator[TextPart]:
        for number in range(last.number):
            part = self._texts.get(place, number)
            if part is None:
                raise StoreUnavailable("A part of the document's text is gone.")
            yield part
        yield last


def _nothing(parts: Iterator[TextPart]) -> DocumentRejected:
    omissions: Counter[str] = Counter()
    for part in parts:
        omissions.update(part.document.omissions)
    if omissions.total():
        return DocumentRejected("No part of the file can be read.", reason="damaged")
    return DocumentRejected("The file holds no text.", reason="no_text")
