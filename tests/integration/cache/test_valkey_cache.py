"""The shared cache on a real Valkey in cluster mode, as ElastiCache Serverless is one."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from haylift.adapters.valkey_cache import EPOCH_TTL_MS, ValkeyCache
from haylift.domain.documents import Epoch
from haylift.domain.errors import CacheUnavailable
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchRequest
from haylift.ports.search import SharedCache, SharedRead
from haylift.services.query_cache import CacheKey, QueryCache

from tests.fakes.cache import InMemorySharedCache, InMemoryTenants
from tests.integration.cache.valkey_server import Server

FIRST = Epoch(generation="g1", content_version=1)
SECOND = Epoch(generation="g1", content_version=2)
MOVED = Epoch(generation="g2", content_version=2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    with closing(server):
        server.start()
        yield server


@pytest.fixture
def valkey(server: Server) -> Iterator[ValkeyCache]:
    with server.client() as client:
        client.flushall()
    cache = ValkeyCache(server.endpoint, tls=False)
    yield cache
    cache.close()


class SharedCachePromises:
    """Inherit and give a fixture `cache`."""

    def test_nothing_is_known_at_first(self, cache: SharedCache) -> None:
        assert cache.read("acme", "k") == SharedRead(epoch=None, entry=None)

    def test_an_entry_counts_under_its_epoch_only(self, cache: SharedCache) -> None:
        cache.publish("acme", FIRST)
        cache.write("acme", "k", FIRST, b"value\nwith lines", 60)
        before = cache.read("acme", "k")
        cache.publish("acme", SECOND)

        assert before == SharedRead(epoch=FIRST, entry=b"value\nwith lines")
        assert cache.read("acme", "k") == SharedRead(epoch=SECOND, entry=None)

    def test_an_entry_without_known_epoch_does_not_count(self, cache: SharedCache) -> None:
        cache.write("acme", "k", FIRST, b"value", 60)

        assert cache.read("acme", "k") == SharedRead(epoch=None, entry=None)

    def test_an_older_version_never_replaces_a_newer_one(self, cache: SharedCache) -> None:
        cache.publish("acme", SECOND)

        cache.publish("acme", FIRST)

        assert cache.read("acme", "k").epoch == SECOND

    def test_a_generation_can_change_without_new_content(self, cache: SharedCache) -> None:
        cache.publish("acme", SECOND)

        cache.publish("acme", MOVED)

        assert cache.read("acme", "k").epoch == MOVED

    def test_versions_are_numbers(self, cache: SharedCache) -> None:
        cache.publish("acme", Epoch(generation="g1", content_version=9))

        cache.publish("acme", Epoch(generation="g1", content_version=10))

        assert cache.read("acme", "k").epoch == Epoch(generation="g1", content_version=10)

    def test_tenants_do_not_mix(self, cache: SharedCache) -> None:
        cache.publish("acme", FIRST)
        cache.publish("other", FIRST)
        cache.write("acme", "k", FIRST, b"acme's", 60)

        assert cache.read("other", "k") == SharedRead(epoch=FIRST, entry=None)

    def test_check_works(self, cache: SharedCache) -> None:
        cache.check()


class TestValkeyCache(SharedCachePromises):
    @pytest.fixture
    def cache(self, valkey: ValkeyCache) -> SharedCache:
        return valkey


class TestInMemorySharedCache(SharedCachePromises):
    @pytest.fixture
    def cache(self) -> SharedCache:
        return InMemorySharedCache()


def test_a_read_is_one_command(server: Server, valkey: ValkeyCache) -> None:
    valkey.read("acme", "k")
    with server.client() as client:
        before = client.info("commandstats")
        valkey.read("acme", "k")
        after = client.info("commandstats")

    calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
    assert {name for name, count in calls.items() if count} == {"cmdstat_mget", "cmdstat_info"}
    assert calls["cmdstat_mget"] == 1


def test_an_epoch_lives_10_s_and_an_entry_as_long_as_it_was_given(
    server: Server, valkey: ValkeyCache
) -> None:
    valkey.publish("acme", FIRST)
    valkey.write("acme", "k", FIRST, b"value", 3_600)

    with server.client() as client:
        assert 0 < client.pttl("{acme}:epoch") <= EPOCH_TTL_MS == 10_000
        assert 3_500 < client.ttl("{acme}:entry:k") <= 3_600


def test_a_late_reader_cannot_bring_an_old_version_back_after_the_epoch_expired(
    server: Server, valkey: ValkeyCache
) -> None:
    valkey.publish("acme", SECOND)
    with server.client() as client:
        client.delete("{acme}:epoch")

    valkey.publish("acme", FIRST)
    refused = valkey.read("acme", "k").epoch
    valkey.publish("acme", SECOND)

    assert refused is None
    assert valkey.read("acme", "k").epoch == SECOND


def test_two_processes_share_answers_and_see_new_content(server: Server, valkey: ValkeyCache) -> None:
    tenants = InMemoryTenants({"acme": FIRST})
    second_connection = ValkeyCache(server.endpoint, tls=False)
    one, other = QueryCache(valkey, tenants), QueryCache(second_connection, tenants)
    key = CacheKey.of(SearchRequest(query="q"), Scope(tenant="acme"), kind="search", model="m", version="1")

    one.store(key, one.lookup(key).epoch, b"answer")
    found = other.lookup(key)
    tenants.epochs["acme"] = SECOND
    valkey.publish("acme", SECOND)

    assert (found.value, found.level) == (b"answer", CacheLevel.SHARED)
    assert (one.lookup(key).value, other.lookup(key).value) == (None, None)
    second_connection.close()


def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with closing(server), closing(ValkeyCache(server.endpoint, tls=False)) as cache:
        server.start()
        cache.publish("acme", FIRST)

        server.close()
        with pytest.raises(CacheUnavailable):
            cache.read("acme", "k")
        server.start()
        cache.publish("acme", SECOND)
        after_outage = cache.read("acme", "k")
        server.close()
        server.start()
        unnoticed_restart = cache.read("acme", "k")

    assert after_outage.epoch == SECOND
    assert unnoticed_restart == SharedRead(epoch=None, entry=None)


def test_a_closed_port_is_unavailable(tmp_path: Path) -> None:
    cache = ValkeyCache(Server(tmp_path).endpoint, tls=False)

    for call in (
        lambda: cache.read("acme", "k"),
        lambda: cache.write("acme", "k", FIRST, b"", 1),
        lambda: cache.publish("acme", FIRST),
        cache.check,
    ):
        with pytest.raises(CacheUnavailable) as failure:
            call()
        assert failure.value.retry_after_s == 1.0


def test_a_server_that_never_answers_costs_less_than_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = ValkeyCache(f"127.0.0.1:{silent.getsockname()[1]}", tls=False)
        started_at = time.monotonic()

        with pytest.raises(CacheUnavailable):
            cache.read("acme", "k")

        assert time.monotonic() - started_at < 1.0


@pytest.mark.parametrize("endpoint", ["localhost", ":6379", "host:port", ""])
def test_an_endpoint_is_host_and_port(endpoint: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        ValkeyCache(endpoint, tls=False)
