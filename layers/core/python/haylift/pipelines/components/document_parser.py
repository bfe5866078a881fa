"""The component that turns a file into blocks of text."""

from typing import TypedDict

from haystack import component

from haylift.pipelines.components.indexing_values import IndexingJob, ParsedFile
from haylift.ports import Parser


class DocumentParserOutput(TypedDict):
    """What the parser gives."""

    parsed: ParsedFile


@component
class DocumentParser:
    """Parses a file away from this process.

    Example:
        ```python
        DocumentParser(parser=ParserProcess(limits)).run(job=IndexingJob(task))["parsed"].document.title
        ```

    Args:
        parser: does the work.
    """

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    @component.output_types(parsed=ParsedFile)
    def run(self, job: IndexingJob) -> DocumentParserOutput:
        """Parses the task's file.

        Raises:
            DocumentRejected: a verdict about the file.
        """
        task = job.task
        task.progress("parse", 5)
        return {"parsed": ParsedFile(self._parser.parse(task.file, task.key, task.content_type))}
