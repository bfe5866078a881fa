"""The component that turns a file into parts of text."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from time import monotonic
from typing import TypedDict

from haystack import component

from haylift.domain.errors import StoreUnavailable
from haylift.domain.texts import TextPart, TextPlace
from haylift.pipelines.components.indexing_values import IndexingJob, ParsedFile
from haylift.ports import IndexingTask, Parser, ParserOrder, StoredTexts

FIRST_PERCENT, LAST_PERCENT = 5, 20
SHOW_EVERY_S = 2.0
"""A page takes some hundredths of a second, and each sign of life is a write to the ledger."""


class DocumentParserOutput(TypedDict):
    """What the parser gives."""

    parsed: ParsedFile


@component
class DocumentParser:
    """Parses a file away from this process, from where its kept text ends.

    Text that is kept of the live revision is taken instead, where bytes and reading are the same: only
    the model or the size of chunks has changed.

    Example:
        ```python
        DocumentParser(ParserProcess(limits), texts).run(job=IndexingJob(task))["parsed"].parts
        ```

    Args:
        parser: does the work.
        texts: where the text of earlier attempts is.
        now: a clock, seconds.
    """

    def __init__(self, parser: Parser, texts: StoredTexts, now: Callable[[], float] = monotonic) -> None:
        self._parser = parser
        self._texts = texts
        self._now = now

    @component.output_types(parsed=ParsedFile)
    def run(self, job: IndexingJob) -> DocumentParserOutput:
        """Begins to parse the task's file; the parts are made as they are taken.

        Raises:
            DocumentRejected: a verdict about the file; also while the parts are taken.
            DeadlineExceeded: while the parts are taken; a later attempt goes on behind the last one.
        """
        task = job.task
        task.progress("parse", FIRST_PERCENT)
        place = self._place(task, task.revision)
        before = self._last(place) if task.has_leftovers else None
        if before is not None and not before.page_count and not before.is_last:
            # A file without pages is begun anew: its parser cannot start in the middle.
            before = None
        if before is not None and before.is_last:
            return {"parsed": ParsedFile(place=place, parts=iter(()), before=before)}
        return {"parsed": ParsedFile(place=place, parts=self._parts(task, before), before=before)}

    def _parts(self, task: IndexingTask, before: TextPart | None) -> Iterator[TextPart]:
        earlier = self._place(task, task.live_revision) if task.live_revision else None
        last = self._last(earlier) if earlier else None
        if before is None and earlier is not None and last is not None and last.is_last:
            for number in range(last.number + 1):
                yield _required(self._texts.get(earlier, number))
            return
        yield from self._parser.parts(
            ParserOrder(
                file=task.file,
                key=task.key,
                content_type=task.content_type,
                deadline=task.deadline,
                after=before,
                on_page=self._show(task),
            )
        )

    def _last(self, place: TextPlace) -> TextPart | None:
        count = self._texts.count(place)
        return self._texts.get(place, count - 1) if count else None

    def _place(self, task: IndexingTask, revision: int) -> TextPlace:
        said = (PurePosixPath(task.key.path).name, task.content_type, self._parser.recipe)
        with task.file.open("rb") as bytes_of_file:
            digest = hashlib.file_digest(bytes_of_file, "sha256")
        digest.update("\0".join(said).encode("utf-8", "surrogatepass"))
        return TextPlace(
            tenant=task.key.tenant,
            document_id=task.key.document_id,
            revision=revision,
            digest=digest.hexdigest()[:16],
        )

    def _show(self, task: IndexingTask) -> Callable[[int, int], None]:
        shown_at = self._now()

        def show(done: int, pages: int) -> None:
            nonlocal shown_at
            if self._now() - shown_at >= SHOW_EVERY_S:
                shown_at = self._now()
                percent = FIRST_PERCENT + (LAST_PERCENT - FIRST_PERCENT) * done // max(1, pages)
                task.progress(f"parse page {done} of {pages}", percent)

        return show


def _required(part: TextPart | None) -> TextPart:
    """A part that was there a moment ago; the live revision's text goes only with the whole document."""
    if part is None:
        raise StoreUnavailable("A part of the document's text is gone.")
    return part
