"""Rate limits as HTTP says them: on every answer of a limited route, refused or not."""

import math
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from haylift.domain.errors import LimitExceeded
from haylift.ports.limits import Allowance

STATE = "rate_limit"
"""Where a request keeps the headers of its answer until that starts."""

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]


def limit_headers(name: str, allowance: Allowance) -> dict[str, str]:
    """The headers that tell what a limit leaves.

    `RateLimit` and `RateLimit-Policy` are structured fields (draft-ietf-httpapi-ratelimit-headers-10):
    `q` requests in `w` seconds; `r` are left, and `t` seconds from now more are. Of a refusal `t` and
    `Retry-After` are the same moment. The three older fields say the same in plain numbers.

    Args:
        name: of the policy, for example `search`: lower-case letters.

    >>> from haylift.ports.limits import Limit
    >>> left = Allowance(limit=Limit(requests=60), is_allowed=True, remaining=59, reset_after_s=59.2)
    >>> limit_headers("search", left)["RateLimit"], limit_headers("search", left)["RateLimit-Policy"]
    ('"search";r=59;t=60', '"search";q=60;w=60')
    """
    limit = allowance.limit
    reset_s = math.ceil(allowance.reset_after_s) if allowance.is_allowed else _retry_s(allowance)
    headers = {
        "RateLimit-Policy": f'"{name}";q={limit.requests};w={math.ceil(limit.window_s)}',
        "RateLimit": f'"{name}";r={allowance.remaining};t={reset_s}',
        "RateLimit-Limit": str(limit.requests),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(reset_s),
    }
    if not allowance.is_allowed:
        headers["Retry-After"] = str(_retry_s(allowance))
    return headers


def _retry_s(allowance: Allowance) -> int:
    """Whole seconds, rounded up so that nobody comes too early, and never 0."""
    return max(1, math.ceil(allowance.retry_after_s))


def note_allowance(request: Request, name: str, allowance: Allowance) -> None:
    """Gives the answer the limit's headers, whatever it becomes; needs the middleware `RateLimitHeaders`."""
    request.scope["state"][STATE] = limit_headers(name, allowance)


def require_allowance(request: Request, name: str, allowance: Allowance) -> None:
    """Notes what the limit leaves, and refuses a request that it does not let in.

    Raises:
        LimitExceeded: `too_many_requests`; a retry helps after `retry_after_s`.
    """
    note_allowance(request, name, allowance)
    if not allowance.is_allowed:
        limit = allowance.limit
        detail = (
            f"At most {limit.requests} requests in {math.ceil(limit.window_s)} s are answered here; "
            f"try again in {_retry_s(allowance)} s."
        )
        raise LimitExceeded(detail, retry_after_s=allowance.retry_after_s)


class RateLimitHeaders:
    """Middleware that adds what `require_allowance` kept: `app.add_middleware(RateLimitHeaders)`.

    Problem documents get the headers too, which no route could give them.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            kept = scope.get("state", {}).get(STATE)
            if kept and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(kept)
            await send(message)

        await self._app(scope, receive, with_headers)


def admitting_route(admit: Callable[[Request], Awaitable[None]]) -> type[APIRoute]:
    """A kind of route that asks `admit` before it reads a body: `APIRouter(route_class=...)`.

    So whoever is not let in costs no work, and a body that is refused has been counted.
    """

    class AdmittingRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def admitted(request: Request) -> Response:
                await admit(request)
                return await answer(request)

            return admitted

    return AdmittingRoute
