"""The shared cache on Valkey in cluster mode (ElastiCache Serverless, or one local node)."""

import threading
from collections.abc import Callable
from typing import cast

from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from haylift.domain.documents import Epoch
from haylift.domain.errors import CacheUnavailable
from haylift.ports.search import SharedRead

CONNECT_TIMEOUT_S = 0.2
READ_TIMEOUT_S = 0.2
EPOCH_TTL_MS = 10_000
"""A lost `publish` is healed after this time: the next reader takes the epoch from the tenants table."""

FLOOR_TTL_MS = 3_600_000
"""How long the highest published version is remembered, so that a reader that was held up longer than
an epoch's life cannot bring an old version back. Longer than any function runs (900 s)."""

RETRY_AFTER_S = 1.0

PUBLISH = """
local floor = tonumber(redis.call('GET', KEYS[2]) or '-1')
if tonumber(ARGV[1]) < floor then return 0 end
local epoch = ARGV[1] .. ' ' .. ARGV[2]
if redis.call('GET', KEYS[1]) == epoch then return 0 end
redis.call('SET', KEYS[1], epoch, 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
return 1
"""
"""KEYS: epoch, floor. ARGV: content version, generation, life of both in ms. At an equal version the
generation may change, which is how a tenant is moved to another build of its index and back."""


class ValkeyCache:
    """Implements `SharedCache`. Thread-safe; connects on first use and again after a restart.

    All keys of a tenant carry its hash tag and so lie in one slot: one MGET reads epoch and entry.
    Each method takes at most about 0.6 s (connect, topology, command) and raises `CacheUnavailable`
    instead of waiting longer; a retry helps after its `retry_after_s`.

    Args:
        endpoint: `host:port`.
        tls: whether the cache speaks TLS (ElastiCache Serverless always does).
    """

    def __init__(self, endpoint: str, tls: bool) -> None:
        host, _, port = endpoint.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("A cache endpoint is host:port")
        self._host, self._port, self._tls = host, int(port), tls
        self._lock = threading.Lock()
        self._client: RedisCluster | None = None

    def read(self, tenant: str, key: str) -> SharedRead:
        """Epoch and entry in one round trip; the entry only if it was written under that epoch."""
        names = [_epoch_name(tenant), _entry_name(tenant, key)]
        published, entry = cast("list[bytes | None]", self.call(lambda client: client.mget(names)))
        if published is None:
            return SharedRead(epoch=None, entry=None)
        header, _, value = (entry or b"").partition(b"\n")
        return SharedRead(epoch=_parsed(published), entry=value if header == published else None)

    def write(self, tenant: str, key: str, epoch: Epoch, value: bytes, ttl_s: int) -> None:
        """Keeps `value` for `ttl_s` seconds, marked with the epoch it was made under."""
        entry = _written(epoch) + b"\n" + value
        self.call(lambda client: client.set(_entry_name(tenant, key), entry, ex=ttl_s))

    def publish(self, tenant: str, epoch: Epoch) -> None:
        """Tells every process the tenant's epoch; an older content version never replaces a newer one."""
        names = (_epoch_name(tenant), f"{{{tenant}}}:floor")
        version = str(epoch.content_version)
        lives = (str(EPOCH_TTL_MS), str(FLOOR_TTL_MS))
        self.call(lambda client: client.eval(PUBLISH, 2, *names, version, epoch.generation, *lives))

    def check(self) -> None:
        """Reads a key through the cluster's slots, as a search does."""
        self.call(lambda client: client.get("{haylift}:check"))

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def call[T](self, command: Callable[[RedisCluster], T]) -> T:
        """Runs the command; a connection that went stale since the last call is replaced once.

        Raises:
            CacheUnavailable: Valkey does not answer.
        """
        is_fresh = self._client is None
        try:
            return command(self._connected())
        except TimedOut as error:
            self.close()
            raise _unavailable() from error
        except (ConnectionLost, RedisClusterException) as error:
            self.close()
            if is_fresh:
                raise _unavailable() from error
        except RedisError as error:
            raise _unavailable() from error
        try:
            return command(self._connected())
        except (RedisError, RedisClusterException) as error:  # the second is no kind of the first
            self.close()
            raise _unavailable() from error

    def _connected(self) -> RedisCluster:
        with self._lock:
            if self._client is None:
                self._client = RedisCluster(
                    host=self._host,
                    port=self._port,
                    ssl=self._tls,
                    socket_connect_timeout=CONNECT_TIMEOUT_S,
                    socket_timeout=READ_TIMEOUT_S,
                    retry=Retry(NoBackoff(), 0),
                    require_full_coverage=False,
                    protocol=2,
                )
            return self._client


def _unavailable() -> CacheUnavailable:
    return CacheUnavailable("The shared cache does not answer.", retry_after_s=RETRY_AFTER_S)


def _epoch_name(tenant: str) -> str:
    return f"{{{tenant}}}:epoch"


def _entry_name(tenant: str, key: str) -> str:
    return f"{{{tenant}}}:entry:{key}"


def _written(epoch: Epoch) -> bytes:
    return f"{epoch.content_version} {epoch.generation}".encode()


def _parsed(text: bytes) -> Epoch:
    version, _, generation = text.decode().partition(" ")
    return Epoch(generation=generation, content_version=int(version))
