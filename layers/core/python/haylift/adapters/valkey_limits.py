"""The sliding window in Valkey: exact across all processes, because one script decides and counts."""

from typing import cast

from haylift.adapters.valkey_cache import ValkeyCache
from haylift.ports.limits import Allowance, Limit
from haylift.services.sliding_window import MICROSECONDS, microseconds

TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local requests, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1) or '0')
if newest > now then now = newest end
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) + window <= now do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local used = redis.call('LLEN', KEYS[1])
if used + cost <= requests then
  for _ = 1, cost do redis.call('RPUSH', KEYS[1], string.format('%.0f', now)) end
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil((now + window) / 1000) + 1))
  local first = tonumber(redis.call('LINDEX', KEYS[1], 0))
  return {1, requests - used - cost, first + window - now, 0}
end
local leaves = tonumber(redis.call('LINDEX', KEYS[1], used + cost - requests - 1) or now)
local wait = leaves + window - now
return {0, math.max(0, requests - used), wait, wait}
"""
"""KEYS: a list of moments in epoch microseconds, oldest first. ARGV: requests, window in microseconds, cost.

The arithmetic is `services.sliding_window.taken`; a test compares the two on a virtual clock. Numbers are
doubles, which hold microseconds exactly until the year 2255.
"""


class ValkeyRateLimiter:
    """Implements `RateLimiter` by the server's clock, whatever the callers' clocks say.

    A call that lost its connection is sent once more: the request may then count twice, never not at all.

    Args:
        cache: the connections of this process to the shared cache.
    """

    def __init__(self, cache: ValkeyCache) -> None:
        self._cache = cache

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        """Counts `cost` requests of `name` if all of them fit, else none.

        Raises:
            CacheUnavailable: Valkey does not answer; the caller counts for itself.
        """
        key = f"limit:{{{name}}}"
        numbers = (str(limit.requests), str(microseconds(limit.window_s)), str(cost))
        answer = self._cache.call(lambda client: client.eval(TAKE, 1, key, *numbers))
        is_allowed, remaining, reset_us, retry_us = cast("list[int]", answer)
        return Allowance(
            limit=limit,
            is_allowed=bool(is_allowed),
            remaining=remaining,
            reset_after_s=reset_us / MICROSECONDS,
            retry_after_s=retry_us / MICROSECONDS,
        )
