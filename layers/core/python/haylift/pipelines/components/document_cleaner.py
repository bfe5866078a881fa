"""The component that cleans parsed text."""

from dataclasses import replace
from typing import TypedDict

from haystack import component

from haylift.pipelines.components.indexing_values import ParsedFile
from haylift.services.cleaning import clean_document


class DocumentCleanerOutput(TypedDict):
    """What the cleaner gives."""

    parsed: ParsedFile


@component
class DocumentCleaner:
    """Takes out control characters and gives one form to line ends and composed characters.

    Example:
        ```python
        DocumentCleaner().run(parsed=parsed)["parsed"].parts
        ```
    """

    @component.output_types(parsed=ParsedFile)
    def run(self, parsed: ParsedFile) -> DocumentCleanerOutput:
        """Cleans every block of every part, as the parts are taken."""
        parts = (replace(part, document=clean_document(part.document)) for part in parsed.parts)
        return {"parsed": replace(parsed, parts=parts)}
