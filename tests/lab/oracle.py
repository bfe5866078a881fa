"""What must be true: at the end, and for every reader at any time."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from haylift.adapters.dynamodb_rows import Item
from haylift.domain.chunks import Hit
from haylift.domain.documents import DocumentState
from haylift.services.ingest_attempt import MAX_ATTEMPTS

if TYPE_CHECKING:
    from tests.lab.lab import Lab


def end_of(data: bytes | None) -> tuple[DocumentState, list[str]]:
    """What must become of an object with these bytes; None: there is no object."""
    if data is None:
        return DocumentState.DELETED, []
    lines = data.decode().splitlines()
    return (DocumentState.REJECTED, []) if not lines or "bad" in lines else (DocumentState.SEARCHABLE, lines)


class Window:
    """What was live while somebody read.

    `steady_id`: a document that is only ever replaced, and so never hidden; empty: none.
    """

    def __init__(self, lab: "Lab", steady_id: str) -> None:
        self._lab = lab
        self.steady_id = steady_id
        self._live: dict[str, int] = {}
        self._open: list[dict[str, set[int]]] = []
        self.reads = 0

    def written(self, before: Item, after: Item) -> None:
        """A row has changed."""
        document_id = after["document_id"]["S"]
        revision = int(after.get("live_revision", {"N": "0"})["N"])
        if self.steady_id == document_id and self._live.get(document_id):
            is_given_up = int(after["attempts"]["N"]) > MAX_ATTEMPTS
            assert revision or is_given_up, "a document that was only ever replaced was hidden"
        self._live[document_id] = revision
        for meanwhile in self._open:
            meanwhile[document_id].add(revision)

    @contextmanager
    def reading(self) -> Iterator[list[Hit]]:
        """Checks the hits that are put into the list against all that was live from beginning to end."""
        meanwhile: dict[str, set[int]] = defaultdict(lambda: {0})
        meanwhile.update({name: {revision} for name, revision in self._live.items()})
        self._open.append(meanwhile)
        hits: list[Hit] = []
        try:
            yield hits
        finally:
            self._open = [each for each in self._open if each is not meanwhile]
        self.reads += 1
        found: dict[str, list[Hit]] = defaultdict(list)
        for hit in hits:
            found[hit.chunk.document_id].append(hit)
        for name in meanwhile.keys() | found.keys():
            self._check(found[name], meanwhile[name])

    def _check(self, hits: list[Hit], live: set[int]) -> None:
        revisions = {hit.chunk.revision for hit in hits}
        assert len(revisions) <= 1, f"a reader found a mix of revisions {revisions}"
        if not hits:
            assert 0 in live, f"a reader found nothing while one of {live} was live"
            return
        assert revisions <= live, f"a reader found {revisions} while {live} were live"
        texts = tuple(sorted(hit.chunk.text for hit in hits))
        assert texts in self._lab.lines[hits[0].chunk.key], f"a reader found a part of a document: {texts}"
