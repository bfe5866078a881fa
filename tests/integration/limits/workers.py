"""What each of the parallel processes does; it imports little, since every process starts from nothing."""

import os
from contextlib import closing
from multiprocessing.synchronize import Barrier
from typing import Any

from haylift.adapters.aws import make_client
from haylift.adapters.dynamodb_limits import DynamoDbRateLimiter
from haylift.adapters.system_clock import SystemClock
from haylift.adapters.valkey_cache import ValkeyCache
from haylift.adapters.valkey_limits import ValkeyRateLimiter
from haylift.ports.limits import Limit
from redis import Redis

SIXTY = Limit(requests=60, window_s=600.0)
TEN = Limit(requests=10, window_s=600.0)
"""Longer than the tests run, so that nothing leaves the window meanwhile."""

TOKENS = "tokens"


def try_valkey(endpoint: str, tries: int, barrier: Barrier) -> int:
    """Tries the limiter of the search function."""
    with closing(ValkeyCache(endpoint, tls=False)) as cache:
        cache.check()
        barrier.wait()
        limiter = ValkeyRateLimiter(cache)
        return sum(limiter.take("search:acme:ann", SIXTY).is_allowed for _ in range(tries))


def try_reading_then_writing(endpoint: str, tries: int, barrier: Barrier) -> int:
    """Wrong: between its reading and its writing others read the same number."""
    admitted = 0
    host, _, port = endpoint.partition(":")
    with Redis(host=host, port=int(port), protocol=2) as client:
        client.ping()
        barrier.wait()
        for _ in range(tries):
            used = int(client.get("wrong") or 0)
            if used < SIXTY.requests:
                client.set("wrong", used + 1)
                admitted += 1
    return admitted


def try_dynamodb(address: str, tries: int, barrier: Barrier) -> int:
    """Tries the limiter of the auth function."""
    return _tries(DynamoDbRateLimiter, address, tries, barrier)


class Unconditional(DynamoDbRateLimiter):
    """Wrong: overwrites what other processes counted since it read."""

    def _replace(self, row: str, item: Any, entries: Any, limit: Limit) -> None:
        moments = [{"N": str(moment)} for moment in entries]
        self._client.put_item(
            TableName=self._table_name, Item={"token_hash": {"S": row}, "entries_us": {"L": moments}}
        )


def try_dynamodb_without_condition(address: str, tries: int, barrier: Barrier) -> int:
    """Tries a limiter that writes without asking."""
    return _tries(Unconditional, address, tries, barrier)


def _tries(kind: type[DynamoDbRateLimiter], address: str, tries: int, barrier: Barrier) -> int:
    environment = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(environment)
    with closing(make_client("dynamodb", read_timeout_s=30.0)) as client:
        limiter = kind(TOKENS, client, SystemClock())
        barrier.wait()
        return sum(limiter.take("192.0.2.7", TEN).is_allowed for _ in range(tries))
