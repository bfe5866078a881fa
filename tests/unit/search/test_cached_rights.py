"""A kept answer ends when somebody may no longer see what is in it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from haylift.domain.identity import Scope
from haylift.domain.search import SearchRequest
from haylift.pipelines.query import HaystackQueryPipeline, query_pipeline
from haylift.resilience import Deadline
from haylift.services.dispatch import DispatchService
from haylift.services.live_index import LiveIndex
from haylift.services.query_cache import QueryCache
from haylift.services.search import SearchService

from tests.fakes.gateway import RecordedTelemetry
from tests.fakes.search import FakeModels
from tests.unit.ingestion.world import KEY, World

SECRET = "The harbour closes in spring."
EVERYBODY = Scope(tenant="acme")
BOARD = Scope(tenant="acme", groups=frozenset({"board"}))
REQUEST = SearchRequest(query="harbour")


@dataclass
class Searched:
    """An indexed document and the function that searches, which has a cache."""

    dispatcher: type[DispatchService] = DispatchService
    search_form: type[SearchService] = SearchService
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(dispatcher=self.dispatcher)
        clock = self.world.clock
        index = LiveIndex(self.world.index, self.world.ledger, now=clock.now)
        self.service = self.search_form(
            HaystackQueryPipeline(query_pipeline(index, FakeModels())),
            QueryCache(self.world.cache, self.world.ledger.tenants, monotonic=clock.now, now=clock.now),
            RecordedTelemetry(),
            model="bge",
        )

    def put(self, **headers: str) -> None:
        """Puts the document again and lets it be claimed; no worker looks at it."""
        self.world.bucket.put(KEY, SECRET.encode(), **headers)
        self.world.dispatch(*self.world.bucket.bodies)
        self.world.bucket.bodies.clear()

    def found(self, scope: Scope = EVERYBODY) -> list[str]:
        """The texts found, kept or not."""
        answer = self.service.search(REQUEST, scope, Deadline.after(30.0))
        return [hit.chunk.text for hit in answer.hits]

    def lease_ends(self) -> None:
        """The cache forgets the epoch, as it does after 10 s."""
        self.world.cache.epochs.clear()


def a_claim_takes_readers_away(dispatcher: type[DispatchService]) -> None:
    """The check: after the claim alone, without any worker, no kept answer is left for outsiders."""
    searched = Searched(dispatcher)
    searched.put()
    searched.world.settle()
    before = [searched.found(), searched.found(BOARD)]

    searched.put(**{"access-groups": "board"})
    searched.lease_ends()

    assert before == [[SECRET], [SECRET]]
    assert [searched.found(), searched.found(BOARD)] == [[], [SECRET]]


def test_a_claim_takes_readers_away_from_kept_answers() -> None:
    a_claim_takes_readers_away(DispatchService)


class _TellsNobody(DispatchService):
    def _claim(self, event, seen):  # type: ignore[no-untyped-def]
        class Quiet:
            def claim(_, *args, terms, **named):  # type: ignore[no-untyped-def]
                return self.ledger.claim(*args, terms=replace(terms, changes_readers=False), **named)

            def __getattr__(_, name: str):  # type: ignore[no-untyped-def]
                return getattr(self.ledger, name)

        return DispatchService._claim(replace(self, ledger=Quiet()), event, seen)  # type: ignore[arg-type]


def test_claims_that_tell_nobody_fail_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_claim_takes_readers_away(_TellsNobody)


def test_the_worker_tells_the_cache_of_the_claim_as_soon_as_it_begins() -> None:
    searched = Searched()
    searched.put()
    searched.world.settle()
    told = searched.world.cache.epochs["acme"]
    searched.put(**{"access-groups": "board"})
    searched.world.pipeline.fault = KeyboardInterrupt  # type: ignore[assignment,return-value]

    with pytest.raises(KeyboardInterrupt):
        searched.world.work(searched.world.lanes.sent[-1][1])

    assert searched.world.cache.epochs["acme"].content_version == told.content_version + 1


def a_kept_answer_ends_with_its_document(search: type[SearchService]) -> None:
    """The check: nothing of a document is shown from its expiry on, and before that it is kept."""
    searched = Searched(search_form=search)
    clock = searched.world.clock
    expires_at = int(clock.now()) + 10_000
    searched.put(**{"expires-at": _iso(expires_at)})
    searched.world.settle()
    clock.advance(expires_at - 1 - clock.now())
    before = searched.found()

    clock.advance(1)

    assert before == [SECRET]
    assert searched.found() == []


def _iso(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()


def test_a_kept_answer_ends_with_its_document() -> None:
    a_kept_answer_ends_with_its_document(SearchService)


class _KeepsForAnHour(SearchService):
    def __init__(self, pipeline, cache, telemetry, *, model):  # type: ignore[no-untyped-def]
        super().__init__(pipeline, _Timeless(cache), telemetry, model=model)  # type: ignore[arg-type]


@dataclass
class _Timeless:
    cache: QueryCache

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self.cache, name)

    def store(self, key, epoch, value, *, until):  # type: ignore[no-untyped-def]
        self.cache.store(key, epoch, value)


def test_answers_kept_for_an_hour_fail_the_same_check() -> None:
    with pytest.raises(AssertionError):
        a_kept_answer_ends_with_its_document(_KeepsForAnHour)


def test_a_deletion_does_not_show_an_expired_document_again() -> None:
    searched = Searched()
    expires_at = int(searched.world.clock.now()) + 10_000
    searched.put(**{"expires-at": _iso(expires_at)})
    searched.world.settle()
    searched.world.clock.advance(10_000)

    searched.world.bucket.delete(KEY)
    searched.world.dispatch(*searched.world.bucket.bodies)
    searched.lease_ends()

    assert searched.found() == []
