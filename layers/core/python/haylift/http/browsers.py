"""What browsers are told: who may read an answer, and what may be done with it; and which hosts are ours."""

from collections.abc import Iterator, Mapping

from haylift.headers import (
    CONTENT_SECURITY_POLICY,
    EXPOSED_HEADERS,
    SECURITY_HEADERS,
    STRICT_TRANSPORT_SECURITY,
)
from haylift.settings import HttpSettings

type Headers = list[tuple[bytes, bytes]]


class Browsers:
    """The rules of one deployment; without settings no web origin is allowed and every host is trusted."""

    def __init__(self, settings: HttpSettings | None = None) -> None:
        self._settings = settings

    def is_trusted(self, request_headers: Headers) -> bool:
        """Whether the Host header names a trusted host; `*.example.com` trusts every subdomain."""
        trusted = self._settings.trusted_hosts if self._settings else ()
        host = _host(_last(request_headers, b"host"))
        return not trusted or any(_matches(host, pattern.lower()) for pattern in trusted)

    def answer_headers(self, request_headers: Headers) -> dict[str, str]:
        """What an answer gets unless it has a header of that name itself.

        The origin is given back only when it is in the list, and never with
        `Access-Control-Allow-Credentials`: callers send tokens, the API knows no cookies.
        """
        headers = dict(SECURITY_HEADERS) | {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        if _last(request_headers, b"x-forwarded-proto").lower() == "https":
            headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
        allowed = self._settings.allowed_origins if self._settings else ()
        if allowed:
            # Also without an origin: a shared cache must not give this answer to a page.
            headers["Vary"] = "Origin"
            origin = _last(request_headers, b"origin")
            if origin in allowed:
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
        return headers


def missing_headers(own: Headers, wanted: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Those of `wanted` that an answer does not have yet."""
    named = {name.lower() for name, _ in own}
    for name, value in wanted.items():
        raw = name.lower().encode()
        if raw not in named:
            yield raw, value.encode("latin-1")


def _last(headers: Headers, name: bytes) -> str:
    values = [value for key, value in headers if key.lower() == name]
    return values[-1].decode("latin-1") if values else ""


def _host(header: str) -> str:
    """The host without its port.

    >>> _host("API.example.com:443"), _host("[::1]:8080")
    ('api.example.com', '[::1]')
    """
    without_port, colon, port = header.rpartition(":")
    return (without_port if colon and port.isdigit() else header).lower()


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern[1:]
    return host == pattern
