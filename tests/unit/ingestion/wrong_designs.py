"""Dispatchers and workers with one fault each: the checks must find it."""

from dataclasses import replace
from typing import cast

from haylift.domain.documents import DocumentRecord
from haylift.domain.events import ObjectEvent
from haylift.domain.metadata import DocumentMetadata
from haylift.ports import Objects
from haylift.resilience import Deadline
from haylift.services.dispatch import DispatchService
from haylift.services.ingest import IngestService
from haylift.services.ingest_attempt import Attempt


class NoSecondSend(DispatchService):
    """Sends an order for new claims only."""

    def dispatch(self, event: ObjectEvent) -> None:
        row = self.ledger.get(event.key.tenant, event.key.document_id)
        if row is None or row.sequencer < event.sequencer:
            super().dispatch(event)


class ForgetsLeftovers(Attempt):
    """Does not look for what a dead attempt left behind."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._has_leftovers = False


def with_attempt(kind: type[Attempt]) -> type[IngestService]:
    """A worker that makes attempts of this kind."""

    class Worker(IngestService):
        def _attempt(self, record: DocumentRecord, deadline: Deadline) -> Attempt:
            return kind(self.parts, record, deadline)

    return Worker


class BlindBucket:
    """Says of every object that it is gone; all else is done in the bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def head(self, *_: str) -> None:
        return None

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)


class Hearsay(Attempt):
    """Takes a deletion from the event alone."""

    def run(self) -> None:
        if not self._record.version_id:
            self._parts = replace(self._parts, objects=cast(Objects, BlindBucket(self._parts.objects)))
        super().run()


class DeletesAndInserts(Attempt):
    """Takes the old chunks out before it writes the new ones."""

    def _write(self, file: object, content_type: str, metadata: DocumentMetadata) -> None:
        self._remove(keep_revision=0)
        super()._write(file, content_type, metadata)  # type: ignore[arg-type]


class RemovesWhateverIsThere(Attempt):
    """Takes out every other revision, newer ones included."""

    def _remove(self, *, keep_revision: int) -> None:
        self._parts.index.remove(
            self._record.tenant, self._generation, self._record.document_id, keep_revision=keep_revision
        )
