"""Headers that every answer of the API has, whoever gives it: a function or API Gateway itself.

They stand here because functions and stacks must agree on them, and neither may import the other.
"""

PROBLEM_TYPE = "application/problem+json"

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. No value holds a quote, so that a gateway response can carry it between quotes."""

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""On every answer of a function that has no policy of its own: answers are data, never a page."""

STRICT_TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"
"""Only on answers that travel over TLS (RFC 6797, 7.2): the local system speaks plain HTTP."""

ALLOWED_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
ALLOWED_REQUEST_HEADERS = ("Authorization", "Content-Type", "If-None-Match", "traceparent")
"""What a page of an allowed origin may send."""

EXPOSED_HEADERS = (
    "ETag",
    "RateLimit",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-Id",
)
"""What a page of an allowed origin may read besides the body."""

PREFLIGHT_MAX_AGE_S = 600
"""How long a browser may keep the answer to a preflight; 10 minutes, so that a removed origin is out soon."""
