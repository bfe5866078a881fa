"""API Gateway's events for Mangum, which trusts headers of callers further than they can be trusted."""

import re
from collections.abc import Mapping
from typing import Any

from mangum.handlers import APIGateway
from mangum.types import Scope

NEUTRAL_HOST = "haylift"
"""Mangum takes server and port out of the Host header and fails on whatever is not `name[:port]`."""

_PLAIN_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_MANGUMS_OWN = ("host", "x-forwarded-proto")


class RestProxy(APIGateway):
    """Mangum's translation of REST proxy events, for every header that a caller can send.

    The application gets the headers as they were sent, the Host too, so that it can judge them; only
    `X-Forwarded-Port` is left out: nobody here asks for a port, and its text is the caller's own.
    """

    @property
    def scope(self) -> Scope:
        """The ASGI scope of the event."""
        headers = sent_headers(self.event)
        known = {name: headers[name] for name in _MANGUMS_OWN if name in headers}
        if not _PLAIN_HOST.fullmatch(known.get("host", "")):
            known["host"] = NEUTRAL_HOST
        context = self.event.get("requestContext") or {}
        plain = {
            **self.event,
            "headers": known,
            "multiValueHeaders": None,
            "requestContext": {**context, "identity": context.get("identity") or {}},
        }
        scope: Scope = APIGateway(plain, self.context, self.config).scope
        scope["headers"] = [
            [name.encode("utf-8", "replace"), value.encode("utf-8", "replace")]
            for name, value in headers.items()
        ]
        return scope


def sent_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers by lower-case name; several values of one name are joined, null is no value.

    >>> sent_headers({"headers": {"Host": "a", "X-Forwarded-Port": "x"}, "multiValueHeaders": None})
    {'host': 'a'}
    >>> sent_headers({"headers": None, "multiValueHeaders": {"HOST": ["a", "b"], "Accept": None}})
    {'host': 'a, b'}
    """
    single: Mapping[str, Any] = event.get("headers") or {}
    multiple: Mapping[str, Any] = event.get("multiValueHeaders") or {}
    sent = {name.lower(): str(value) for name, value in single.items() if value is not None}
    for name, values in multiple.items():
        present = [str(value) for value in values or () if value is not None]
        if present:
            sent[name.lower()] = ", ".join(present)
    sent.pop("x-forwarded-port", None)
    return sent
