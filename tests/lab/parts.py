"""The parts of the world: a bucket, queues, an index that refreshes late, and the way to each of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError
from haylift.domain.chunks import EmbeddedChunk, Hit, Legs
from haylift.domain.errors import CacheUnavailable, HayliftError, IndexUnavailable, StoreUnavailable
from haylift.domain.identity import Scope
from haylift.ports.search import LegQuery

from tests.fakes.bucket import MemoryBucket
from tests.fakes.index import InMemoryIndex
from tests.lab.dynamodb import cancelled

if TYPE_CHECKING:
    from tests.lab.lab import Lab

MAX_RECEIVES = 10
"""As the lanes have it; then a message waits in the dead-letter queue."""


class Way:
    """Between a process and a part: each call takes time, may fail, lose its answer or be the last one."""

    def __init__(self, lab: "Lab", part: str, target: Any) -> None:
        self._lab = lab
        self._part = part
        self._target = target

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute) or name.startswith("_") or isinstance(attribute, type):
            return attribute
        lab, label = self._lab, f"{self._part}.{name}"

        def call(*args: Any, **named: Any) -> Any:
            lab.before(label)
            if lab.happens(lab.weather.refuse_ratio):
                lab.fault("refused", label)
                raise self._unavailable()
            result = attribute(*args, **named)
            lab.scheduler.note(label)
            lab.after(label)
            if lab.happens(lab.weather.lose_ratio):
                lab.fault("answer lost", label)
                return self._lost(attribute, args, named)
            return result

        self.__dict__[name] = call
        return call

    def _unavailable(self) -> Exception:
        match self._part:
            case "table":
                return ReadTimeoutError(endpoint_url="http://127.0.0.1")
            case "index":
                return IndexUnavailable("The index does not answer.")
            case "cache":
                return CacheUnavailable("The cache does not answer.")
        return StoreUnavailable(f"The {self._part} does not answer.")

    def _lost(self, attribute: Any, args: Any, named: Any) -> Any:
        """The SDK asks DynamoDB again, mostly; whoever asks the others hears of the failure."""
        if self._part == "table" and self._lab.scheduler.random.random() < 0.7:
            self._lab.after("again")
            if "TransactItems" in named and self._lab.scheduler.random.random() < 0.3:
                raise cancelled([{"Code": "None"}, {"Code": "TransactionConflict"}])
            return attribute(*args, **named)
        raise self._unavailable()


class LabBucket(MemoryBucket):
    """A versioned bucket whose events go to `publish`; one of twenty lacks its version id."""

    def __init__(
        self, publish: Callable[[str], None], chance: Callable[[float], bool], now: Callable[[], float]
    ) -> None:
        super().__init__()
        self.changed_at: dict[str, float] = {}
        self._now = now
        self._publish = publish
        self._chance = chance

    def data_of(self, key: str, version_id: str) -> bytes | None:
        """The bytes of a version; None when it is gone."""
        stored = self._find(key, version_id)
        return stored.data if stored else None

    def _tell(self, *args: Any, **named: Any) -> None:
        super()._tell(*args, **named)
        self.changed_at[args[1]] = float(int(self._now()))
        body = self.bodies.pop()
        if self._chance(0.05):
            event = json.loads(body)
            event["detail"]["object"].pop("version-id")
            body = json.dumps(event)
        self._publish(body)


class LabIndex(InMemoryIndex):
    """An index whose readers see what was refreshed, and that may take half of a write and fail."""

    def __init__(self, lab: "Lab") -> None:
        super().__init__()
        self._lab = lab
        self.shown: dict[tuple[str, str], dict[str, EmbeddedChunk]] = {}
        self.embedded = 0

    def write(self, tenant: str, generation: str, chunks: Any) -> None:
        taken = list(chunks)
        if self._lab.happens(self._lab.weather.refuse_ratio):
            self._lab.fault("half written", "index")
            super().write(tenant, generation, taken[: len(taken) // 2])
            raise IndexUnavailable("The index took half of it.")
        self.embedded += len(taken)
        super().write(tenant, generation, taken)
        if self._lab.scheduler.random.random() < 0.3:
            self.refresh(tenant, generation)

    def refresh(self, tenant: str, generation: str) -> None:
        self.shown[tenant, generation] = dict(self.stored.get((tenant, generation), {}))

    def stored_chunk_ids(
        self, tenant: str, generation: str, document_id: str, *, revision: int
    ) -> frozenset[str]:
        written = super().stored_chunk_ids(tenant, generation, document_id, revision=revision)
        return written & self.shown.get((tenant, generation), {}).keys()

    def retrieve(self, query: LegQuery, scope: Scope, generation: str) -> Legs:
        shown = sorted(self.shown.get((scope.tenant, generation), {}).items())
        return Legs(
            semantic=tuple(
                Hit(chunk=each.chunk, score=1.0, semantic_rank=rank)
                for rank, (_, each) in enumerate(shown[: query.depth], start=1)
            )
        )


@dataclass(eq=False)
class Message:
    """One message of a queue."""

    body: Any
    receives: int = 0
    is_deleted: bool = False


class Queue:
    """At least once, in any order; what is not acknowledged comes again, ten times in all.

    Args:
        consume: works on one body; raises HayliftError to get it again.
        life_s: how long the consumer may take before its host ends it.
    """

    def __init__(self, lab: "Lab", name: str, consume: Callable[[Any], None], *, life_s: float) -> None:
        self._lab = lab
        self._name = name
        self._consume = consume
        self._life_s = life_s
        self._count = 0
        self.dead: list[Message] = []
        self.seen: list[Any] = []

    def send(self, body: Any) -> None:
        """Takes a message, and delivers it once or more."""
        self.seen.append(body)
        self._wait(Message(body), self._delay())
        while self._lab.happens(self._lab.weather.duplicate_ratio):
            self._lab.fault("duplicate", self._name)
            self._wait(Message(body), self._delay())

    def redrive(self) -> None:
        """Sends again what is in the dead-letter queue."""
        dead, self.dead = self.dead, []
        for message in dead:
            self.send(message.body)

    def _delay(self) -> float:
        chance = self._lab.scheduler.random
        return chance.random() * (self._lab.weather.delay_s if chance.random() < 0.3 else 0.1)

    def _wait(self, message: Message, delay_s: float) -> None:
        self._count += 1
        self._lab.scheduler.spawn(
            f"{self._name} {self._count}",
            lambda: self._deliver(message),
            delay_s=delay_s,
            life_s=self._life_s,
        )

    def _deliver(self, message: Message) -> None:
        if message.is_deleted:
            return
        if message.receives == MAX_RECEIVES:
            self._lab.fault("dead letter", self._name)
            message.is_deleted = True
            self.dead.append(message)
            return
        message.receives += 1
        self._wait(message, self._lab.weather.visibility_s)
        try:
            self._consume(message.body)
        except HayliftError as fault:
            self._lab.scheduler.note(f"comes again: {fault.code}")
            return
        if self._lab.happens(self._lab.weather.unacknowledged_ratio):
            self._lab.fault("not acknowledged", self._name)
        else:
            message.is_deleted = True
