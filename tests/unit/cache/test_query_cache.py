"""Kept answers: never stale, never across tenants, groups or filters."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from haylift.domain.documents import Epoch
from haylift.domain.filters import parse_filter
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchMode, SearchRequest
from haylift.services.query_cache import PROCESS_VALUE_BYTES, CacheKey, Lookup, QueryCache
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants

FIRST = Epoch(generation="g1", content_version=1)
SECOND = Epoch(generation="g1", content_version=2)
KEY = CacheKey.of(
    SearchRequest(query="how to deploy"),
    Scope(tenant="acme", groups=frozenset({"staff"})),
    kind="search",
    model="bge",
    version="1",
)


class World:
    """One tenant at its first version, a clock, and as many processes as are asked for."""

    def __init__(self) -> None:
        self.shared = InMemorySharedCache()
        self.tenants = InMemoryTenants({"acme": FIRST, "other": FIRST})
        self.now_s = 0.0
        self.cache = self.process()

    def process(self) -> QueryCache:
        return QueryCache(self.shared, self.tenants, monotonic=lambda: self.now_s)

    def content_changes(self, epoch: Epoch = SECOND, *, is_published: bool = True) -> None:
        self.tenants.epochs["acme"] = epoch
        if is_published:
            self.shared.publish("acme", epoch)


@pytest.fixture
def world() -> World:
    return World()


def test_an_answer_is_found_in_this_process_and_in_others(world: World) -> None:
    epoch = world.cache.lookup(KEY).epoch
    world.cache.store(KEY, epoch, b"answer")
    other = world.process()

    assert world.cache.lookup(KEY) == Lookup(epoch=FIRST, value=b"answer", level=CacheLevel.PROCESS)
    assert other.lookup(KEY) == Lookup(epoch=FIRST, value=b"answer", level=CacheLevel.SHARED)
    assert other.lookup(KEY) == Lookup(epoch=FIRST, value=b"answer", level=CacheLevel.PROCESS)


def test_a_lookup_is_one_round_trip_once_the_epoch_is_known(world: World) -> None:
    world.cache.lookup(KEY)
    world.shared.calls.clear()

    world.cache.lookup(KEY)

    assert world.shared.calls == ["read"]


@pytest.mark.parametrize("epoch", [SECOND, Epoch(generation="g2", content_version=1)])
def test_new_content_is_seen_by_every_process_at_once(world: World, epoch: Epoch) -> None:
    other = world.process()
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"old")
    other.lookup(KEY)

    world.content_changes(epoch)

    assert world.cache.lookup(KEY) == Lookup(epoch=epoch)
    assert other.lookup(KEY) == Lookup(epoch=epoch)


def test_an_answer_made_while_content_changed_is_not_used(world: World) -> None:
    epoch = world.cache.lookup(KEY).epoch
    world.content_changes()

    world.cache.store(KEY, epoch, b"old")

    assert world.cache.lookup(KEY) == Lookup(epoch=SECOND)


def test_without_the_shared_cache_nothing_is_kept_and_the_epoch_is_right(world: World) -> None:
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"old")
    world.shared.is_down = True
    world.content_changes(is_published=False)

    assert world.cache.lookup(KEY) == Lookup(epoch=SECOND)
    world.cache.store(KEY, SECOND, b"new")
    assert world.cache.lookup(KEY) == Lookup(epoch=SECOND)


def test_a_shared_cache_that_failed_is_left_alone_until_its_retry_time(world: World) -> None:
    world.shared.is_down = True
    world.cache.lookup(KEY)
    world.cache.lookup(KEY)
    calls_while_down = len(world.shared.calls)

    world.shared.is_down = False
    world.now_s = 1.0
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"answer")

    assert calls_while_down == 1
    assert world.cache.lookup(KEY).level is CacheLevel.PROCESS


def test_a_forgotten_epoch_comes_from_the_tenants_and_is_published(world: World) -> None:
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"answer")
    world.shared.epochs.clear()

    found = world.process().lookup(KEY)

    assert found == Lookup(epoch=FIRST, value=b"answer", level=CacheLevel.SHARED)
    assert world.shared.epochs == {"acme": FIRST}


def test_a_published_epoch_newer_than_the_readers_wins(world: World) -> None:
    class LateTenants(InMemoryTenants):
        def epoch(self, tenant: str) -> Epoch:
            world.content_changes()
            return FIRST

    cache = QueryCache(world.shared, LateTenants())

    assert cache.lookup(KEY) == Lookup(epoch=SECOND)


def test_entries_of_this_process_live_300_s(world: World) -> None:
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"answer")

    world.now_s = 299.0
    before = world.cache.lookup(KEY).level
    world.now_s = 301.0
    after = world.cache.lookup(KEY).level

    assert (before, after) == (CacheLevel.PROCESS, CacheLevel.SHARED)


def test_large_answers_are_not_kept_in_the_process(world: World) -> None:
    world.cache.store(KEY, world.cache.lookup(KEY).epoch, b"x" * (PROCESS_VALUE_BYTES + 1))

    assert world.cache.lookup(KEY).level is CacheLevel.SHARED


def test_this_process_keeps_1000_entries(world: World) -> None:
    epoch = world.cache.lookup(KEY).epoch
    for number in range(1_001):
        world.cache.store(replace(KEY, top_k=number), epoch, b"answer")
    world.shared.entries.clear()

    kept = sum(world.cache.lookup(replace(KEY, top_k=number)).value is not None for number in range(1_001))

    assert kept == 1_000


def test_white_space_order_of_groups_and_of_conditions_do_not_matter() -> None:
    one = {"field": "meta.lang", "operator": "in", "value": ["en", "de"]}
    two = {"field": "meta.year", "operator": ">", "value": 2020}

    def key(query: str, *conditions: dict[str, object]) -> CacheKey:
        filters = parse_filter({"operator": "AND", "conditions": list(conditions)})
        return replace(KEY, query=query, filters=filters)

    turned = {**one, "value": ["de", "en"]}

    assert key("how  to\ndeploy", one, two).digest == key("how to deploy", two, turned).digest


scalars = st.sampled_from([1, True, "1", "true", 1.5, "a", 0, False])
comparisons = st.builds(
    lambda operator, value: parse_filter({"field": "meta.x", "operator": operator, "value": value}),
    st.sampled_from(["==", "!="]),
    scalars | st.none(),
) | st.builds(
    lambda values: parse_filter({"field": "meta.x", "operator": "in", "value": sorted(set(values))}),
    st.lists(st.sampled_from(["1", "a", "b"]), max_size=2),
)
filters = (
    st.none()
    | comparisons
    | st.builds(
        lambda operator, inner: parse_filter({"operator": operator, "conditions": inner}),
        st.sampled_from(["AND", "OR", "NOT"]),
        st.lists(st.sampled_from([{"field": "meta.x", "operator": "==", "value": 1}]), max_size=1),
    )
)
keys = st.builds(
    CacheKey,
    tenant=st.sampled_from(["acme", "other"]),
    groups=st.frozensets(st.sampled_from(["a", "b", "a,b", ""]), max_size=2),
    kind=st.sampled_from(["search", "query"]),
    query=st.sampled_from(["one", "two", "One", "\ud800"]),
    mode=st.sampled_from(SearchMode),
    top_k=st.sampled_from([1, 11]),
    filters=filters,
    model=st.sampled_from(["m1", "m2"]),
    version=st.sampled_from(["1", "2"]),
)


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[CacheKey, CacheKey]:
    """Two keys that differ in at most one field."""
    one, other = draw(keys), draw(keys)
    name = draw(st.sampled_from(list(CacheKey.__dataclass_fields__)))
    return one, replace(one, **{name: getattr(other, name)})


def check_answers_stay_apart(weaken: Callable[[CacheKey], CacheKey]) -> None:
    """An answer stored for one key is found for that key only."""

    @settings(max_examples=600, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(pair=neighbours())
    def check(pair: tuple[CacheKey, CacheKey]) -> None:
        one, other = pair
        world = World()
        world.cache.store(weaken(one), world.cache.lookup(one).epoch, b"answer of one")
        world.cache.lookup(other)

        # Python says that 1 and True are equal, a filter does not.
        is_same = one == other and repr(one.filters) == repr(other.filters)
        for cache in (world.cache, world.process()):
            assert (cache.lookup(weaken(other)).value is not None) == is_same

    check()


def test_answers_stay_apart() -> None:
    check_answers_stay_apart(lambda key: key)


@pytest.mark.parametrize(
    "forgotten",
    [
        {"groups": frozenset()},
        {"tenant": "acme"},
        {"filters": None},
        {"mode": SearchMode.HYBRID},
        {"model": "m1"},
        {"kind": "search"},
        {"version": "1"},
    ],
    ids=lambda forgotten: next(iter(forgotten)),
)
def test_a_key_that_forgets_something_is_noticed(forgotten: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        check_answers_stay_apart(lambda key: replace(key, **forgotten))
