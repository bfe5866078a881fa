"""The component that cleans parsed text."""

from typing import TypedDict

from haystack import component

from haylift.domain.errors import DocumentRejected
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
        DocumentCleaner().run(parsed=ParsedFile(document))["parsed"].document.blocks
        ```
    """

    @component.output_types(parsed=ParsedFile)
    def run(self, parsed: ParsedFile) -> DocumentCleanerOutput:
        """Cleans every block.

        Raises:
            DocumentRejected: `no_text` when nothing is left.
        """
        document = clean_document(parsed.document)
        if not document.blocks:
            raise DocumentRejected("The file holds no text.", reason="no_text")
        return {"parsed": ParsedFile(document)}
