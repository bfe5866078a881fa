"""No kept answer shows a document whose time is over, wherever and however long it is kept."""

import pytest
from haylift.domain.documents import Epoch
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchRequest
from haylift.services.query_cache import CacheKey, QueryCache

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants

EPOCH = Epoch(generation="g1", content_version=1)
KEY = CacheKey.of(SearchRequest(query="a"), Scope(tenant="acme"), kind="search", model="bge", version="1")


def keeps_nothing_beyond_its_time(kind: type[QueryCache]) -> None:
    """The check: kept until 100, found before it at both levels, and at none from then on."""
    now_s = 0.0
    shared = InMemorySharedCache()
    caches = [kind(shared, InMemoryTenants({"acme": EPOCH}), now=lambda: now_s) for _ in range(3)]
    caches[0].lookup(KEY)
    caches[0].store(KEY, EPOCH, b"an\nanswer", until=100)

    now_s = 99.0
    levels = [cache.lookup(KEY).level for cache in caches[:2]]
    values = [cache.lookup(KEY).value for cache in caches[:2]]
    now_s = 100.0
    late = [cache.lookup(KEY).value for cache in caches]

    assert levels == [CacheLevel.PROCESS, CacheLevel.SHARED]
    assert values == [b"an\nanswer", b"an\nanswer"]
    assert late == [None, None, None]


def test_an_answer_is_shown_until_its_time() -> None:
    keeps_nothing_beyond_its_time(QueryCache)


class _ForgetsTheTime(QueryCache):
    def _may_show(self, until: int) -> bool:
        return True


def test_a_cache_that_forgets_the_time_fails_the_same_check() -> None:
    with pytest.raises(AssertionError):
        keeps_nothing_beyond_its_time(_ForgetsTheTime)


@pytest.mark.parametrize("entry", [b"", b"an answer", b"soon\nan answer", b"-1\nan answer"])
def test_what_this_cache_did_not_write_is_a_miss(entry: bytes) -> None:
    shared = InMemorySharedCache({"acme": EPOCH}, {("acme", KEY.digest): (EPOCH, entry)})

    assert QueryCache(shared, InMemoryTenants({"acme": EPOCH})).lookup(KEY).value is None
