"""Which route a request is about: the name that metrics, hops and audit records use."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from haylift.routes import ALL_ROUTES

UNMATCHED = "unmatched"
KNOWN_PATHS = frozenset(route.path for route in ALL_ROUTES)


def endpoint_of(scope: MutableMapping[str, Any]) -> str:
    """The path of the route, with its parameters' names.

    A request that is refused before it is routed (a body that is too large, a foreign host) has the route
    that the gateway matched; no text of a caller's is ever a route's name.

    >>> endpoint_of({"aws.event": {"resource": "/v1/search"}}), endpoint_of({})
    ('/v1/search', 'unmatched')
    >>> endpoint_of({"aws.event": {"resource": "/{proxy+}"}})
    'unmatched'
    """
    matched = getattr(scope.get("route"), "path", None)
    if matched is not None:
        return str(matched)
    event: Mapping[str, Any] = scope.get("aws.event") or {}
    resource = event.get("resource")
    return resource if isinstance(resource, str) and resource in KNOWN_PATHS else UNMATCHED
