"""How often one address may try to log in, or to stay logged in."""

import ipaddress
from dataclasses import dataclass

from haylift.domain.errors import LimitExceeded
from haylift.ports.limits import Allowance, Limit, RateLimiter
from haylift.tracing import Hop, hop

IPV6_NETWORK_BITS = 64
"""One customer's network: who has it can take any of its addresses (RFC 6177)."""


@dataclass(frozen=True, kw_only=True)
class AddressLimit:
    """Counts one kind of requests (logins, refreshes) by source address, good and failed ones alike.

    Args:
        limiter: counts this kind alone.
        requests_per_minute: 0: no limit.
    """

    limiter: RateLimiter
    requests_per_minute: int

    def take(self, source_address: str) -> Allowance | None:
        """Counts one request; None without a limit.

        Args:
            source_address: of the connection, as the gateway saw it; never a header's text.

        Raises:
            StoreUnavailable: requests cannot be counted, and none is let in uncounted; a retry helps.
        """
        if not self.requests_per_minute:
            return None
        address, limit = counted_address(source_address), Limit(requests=self.requests_per_minute)
        with hop(Hop.RATE_LIMIT) as note:
            allowance = self.limiter.take(address, limit)
            if not allowance.is_allowed:
                note.outcome = LimitExceeded.code
        return allowance


def counted_address(source_address: str) -> str:
    """The address that counts: of IPv6 the network, so that no caller has 2^64 of them.

    >>> counted_address("203.0.113.7"), counted_address("2001:db8:1:2:3:4:5:6")
    ('203.0.113.7', '2001:db8:1:2::/64')
    >>> counted_address("::ffff:203.0.113.7"), counted_address("")
    ('203.0.113.7', 'unknown')
    """
    try:
        address = ipaddress.ip_address(source_address)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), IPV6_NETWORK_BITS), strict=False))
    return str(address)
