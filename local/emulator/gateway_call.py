"""One call of a REST API: who makes it and under which id, for the patches of API Gateway.

The ASGI application sets the peer and the path; `request_id_patch` sets the id. They travel as
context variables, which ministack hands on to the threads that run functions.
"""

from contextvars import ContextVar

peer_address: ContextVar[str] = ContextVar("peer_address", default="127.0.0.1")
raw_path: ContextVar[bytes] = ContextVar("raw_path", default=b"")
"""As the caller has sent it, percent-encoding included."""
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
answer_by: ContextVar[float | None] = ContextVar("answer_by", default=None)
"""When the gateway gives up, on the monotonic clock; None for what no gateway waits for."""
