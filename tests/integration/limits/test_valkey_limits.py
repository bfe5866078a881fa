"""The search limit on a real Valkey: exact across processes and at every edge of a window."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from haylift.adapters.valkey_cache import ValkeyCache
from haylift.adapters.valkey_limits import TAKE, ValkeyRateLimiter
from haylift.domain.errors import CacheUnavailable
from haylift.ports.limits import Allowance, Limit, RateLimiter
from haylift.services.sliding_window import taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.integration.cache.valkey_server import Server
from tests.integration.limits.parallel import Worker, admitted_in_parallel
from tests.integration.limits.workers import SIXTY, try_reading_then_writing, try_valkey
from tests.unit.limits.promises import RateLimiterPromises


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    with closing(server):
        server.start()
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Redis]:
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def cache(server: Server, client: Redis) -> Iterator[ValkeyCache]:
    with closing(ValkeyCache(server.endpoint, tls=False)) as cache:
        yield cache


class TestValkeyRateLimiter(RateLimiterPromises):
    @pytest.fixture
    def limiter(self, cache: ValkeyCache) -> RateLimiter:
        return ValkeyRateLimiter(cache)


def assert_exactly_sixty_of_400(worker: Worker, endpoint: str) -> None:
    assert admitted_in_parallel(worker, endpoint, tries_each=100) == 60


def test_of_400_tries_of_four_processes_60_are_let_in(server: Server, client: Redis) -> None:
    assert_exactly_sixty_of_400(try_valkey, server.endpoint)


def test_a_limiter_that_reads_then_writes_lets_more_in(server: Server, client: Redis) -> None:
    with pytest.raises(AssertionError):
        assert_exactly_sixty_of_400(try_reading_then_writing, server.endpoint)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 4)), min_size=1, max_size=25),
    st.integers(1, 5),
)
def test_the_script_counts_as_the_arithmetic_does(
    client: Redis, arrivals: list[tuple[int, int]], requests: int
) -> None:
    """Its one look at the clock is replaced by a virtual one; all else is the script as it runs."""
    script = client.register_script(TAKE.replace("redis.call('TIME')", "{ARGV[4], ARGV[5]}"))
    client.flushall()
    limit = Limit(requests=requests, window_s=1.0)
    expected, answered, entries = [], [], list[int]()
    for offset_us, cost in sorted(arrivals):
        now_us = 4_000_000_000_000_000 + offset_us
        allowance, entries = taken(entries, limit, cost, now_us)
        expected.append(allowance)
        said = script(keys=["k"], args=[requests, 1_000_000, cost, *divmod(now_us, 1_000_000)])
        answered.append(
            Allowance(
                limit=limit,
                is_allowed=said[0] == 1,
                remaining=said[1],
                reset_after_s=said[2] / 1_000_000,
                retry_after_s=said[3] / 1_000_000,
            )
        )

    assert answered == expected


def test_a_row_goes_with_its_window(cache: ValkeyCache, client: Redis) -> None:
    ValkeyRateLimiter(cache).take("search:acme:ann", Limit(requests=9, window_s=60.0))

    assert 59_000 < client.pttl("limit:{search:acme:ann}") <= 60_002


def test_a_closed_port_is_unavailable(tmp_path: Path) -> None:
    with closing(ValkeyCache(Server(tmp_path).endpoint, tls=False)) as cache, pytest.raises(CacheUnavailable):
        ValkeyRateLimiter(cache).take("search:acme:ann", SIXTY)
