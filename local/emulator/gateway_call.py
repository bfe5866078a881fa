"""One call of a REST API: who makes it, under which id and what is known of it, for the gateway's patches.

The ASGI application sets the peer and the path; `request_id_patch` sets the id. They travel as
context variables, which ministack hands on to the threads that run functions.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

peer_address: ContextVar[str] = ContextVar("peer_address", default="127.0.0.1")
raw_path: ContextVar[bytes] = ContextVar("raw_path", default=b"")
"""As the caller has sent it, percent-encoding included."""
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
answer_by: ContextVar[float | None] = ContextVar("answer_by", default=None)
"""When the gateway gives up, on the monotonic clock; None for what no gateway waits for."""


@dataclass
class Call:
    """What is known of one call so far; None and empty where that part was not reached. Times in ms."""

    resource_path: str = ""
    integration_ms: float | None = None
    integration_status: int | None = None
    function_status: int | None = None
    authorizer_ms: float | None = None
    authorizer_status: int | None = None
    authorizer_context: Mapping[str, Any] = field(default_factory=dict)
    error_type: str = ""
    error_message: str = ""


_current: ContextVar[Call | None] = ContextVar("current", default=None)


@contextmanager
def observed_call() -> Iterator[Call]:
    """The call that is being answered: the one that an outer patch has begun, or a new one."""
    outer = _current.get()
    call = Call() if outer is None else outer
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def current_call() -> Call:
    """The call that is being answered; a new one that nobody looks at outside of any."""
    return _current.get() or Call()
