"""Known-wrong ways to keep an index like a bucket; each is in use somewhere."""

import json
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

from haylift.domain.chunks import Chunk, EmbeddedChunk
from haylift.domain.documents import DocumentKey, DocumentState, ObjectVersion
from haylift.domain.events import ObjectEvent, ObjectEventKind
from haylift.services.dispatch import DispatchService
from haylift.services.ingest_attempt import Attempt

from tests.fakes.search import word_vector
from tests.lab.lab import KEYS, TENANT, Design, Lab
from tests.lab.ledgered import Ledgered
from tests.lab.oracle import end_of
from tests.lab.parts import Way
from tests.unit.ingestion.wrong_designs import with_attempt

GENERATION = "g1"


class DeleteAndInsert:
    """Each event: take out what the index holds of the key, put in what the event speaks of."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.index = Way(lab, "index", lab.index)
        self.objects = Way(lab, "bucket", lab.bucket)
        self.ids = count(1)

    def event(self, body: str) -> None:
        """Does all the work at once."""
        event = json.loads(body)
        key = event["detail"]["object"]["key"]
        self.index.remove(TENANT, GENERATION, DocumentKey.parse(key).document_id, keep_revision=0)
        if event["detail-type"] == "Object Created":
            self.insert(key, self.lines_of(event))

    def order(self, order: Any) -> None:
        """There is no second queue."""

    def lines_of(self, event: dict[str, Any]) -> list[str]:
        """The lines of the version that the event names; none where it is gone or bad."""
        place = event["detail"]["object"]
        version = self.objects.head(place["key"], place.get("version-id"))
        data = self.lab.bucket.data_of(place["key"], version.version_id) if version else None
        return end_of(data)[1]

    def insert(self, key: str, lines: list[str]) -> None:
        """Writes two chunks at a time."""
        chunks = [self.chunk(key, ordinal, line) for ordinal, line in enumerate(lines)]
        for start in range(0, len(chunks), 2):
            self.index.write(TENANT, GENERATION, chunks[start : start + 2])
        self.index.refresh(TENANT, GENERATION)

    def chunk(self, key: str, ordinal: int, line: str) -> EmbeddedChunk:
        """A chunk under the id that the design gives it."""
        chunk = Chunk(
            chunk_id=self.chunk_id(key, ordinal),
            document_id=DocumentKey.parse(key).document_id,
            key=key,
            revision=1,
            ordinal=ordinal,
            title="",
            text=line,
        )
        return EmbeddedChunk(chunk=chunk, vector=word_vector("anything"))

    def chunk_id(self, key: str, ordinal: int) -> str:
        """A new one each time."""
        return f"{next(self.ids):08}"

    def read(self) -> None:
        """Nobody reads: the end alone shows the fault."""

    def tend(self, number: int) -> None:
        """There is no schedule."""

    def check(self) -> None:
        """The index against the bucket; a version that vanished must not have left its lines."""
        found = defaultdict(list)
        for each in self.lab.index.stored.get((TENANT, GENERATION), {}).values():
            found[each.chunk.key].append((each.chunk.ordinal, each.chunk.text))
        for key in KEYS:
            current = self.lab.bucket.current(key)
            wanted = end_of(current.data if current else None)[1]
            lines = [text for _, text in sorted(found[key])]
            assert lines == wanted, f"{key}: index {lines}, bucket {wanted}"


class IdempotencyKey(DeleteAndInsert):
    """Remembers which key, kind and content it has worked on, and does nothing twice."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.done: set[tuple[str, ...]] = set()

    def event(self, body: str) -> None:
        """Works on it unless it is known."""
        event = json.loads(body)
        place = event["detail"]["object"]
        stored = self.lab.bucket.data_of(place["key"], place.get("version-id", ""))
        known = (place["key"], event["detail-type"], str(stored))
        if known not in self.done:
            super().event(body)
            self.done.add(known)


class DeterministicIds(DeleteAndInsert):
    """Ids from key and position, so that a repeat writes the same rows; what is beyond the end goes."""

    def event(self, body: str) -> None:
        """Writes over what is there."""
        event = json.loads(body)
        key = event["detail"]["object"]["key"]
        if event["detail-type"] != "Object Created":
            self.index.remove(TENANT, GENERATION, DocumentKey.parse(key).document_id, keep_revision=0)
            return
        lines = self.lines_of(event)
        self.insert(key, lines)
        self.lab.before("index.cut")
        stored = self.lab.index.stored.get((TENANT, GENERATION), {})
        for ordinal in range(len(lines), 20):
            stored.pop(self.chunk_id(key, ordinal), None)

    def chunk_id(self, key: str, ordinal: int) -> str:
        """The same each time."""
        return f"{key}#{ordinal}"


class TakesEventsAtTheirWord(DispatchService):
    """Takes every `Object Deleted` for the loss of the object."""

    def _look(self, event: ObjectEvent) -> ObjectVersion | None:
        return super()._look(event) if event.kind is ObjectEventKind.CREATED else None


class Hearsay(Attempt):
    """Takes a deletion from the event alone."""

    def run(self) -> None:
        if self._record.version_id:
            super().run()
            return
        self._hide(reason="")
        self._conclude(DocumentState.DELETED, keep_revision=0)


class SequencerWithoutHead(Ledgered):
    """The ledger with its sequencers, and nobody who looks at the object."""

    dispatcher = TakesEventsAtTheirWord
    worker = with_attempt(Hearsay)


DESIGNS: dict[str, Callable[[Lab], Design]] = {
    "ledger": Ledgered,
    "delete-and-insert": DeleteAndInsert,
    "idempotency-key": IdempotencyKey,
    "deterministic-ids": DeterministicIds,
    "sequencer-without-head": SequencerWithoutHead,
}
