"""The ASGI application: ministack's, behind what this extension answers itself under `/_haylift/`."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from local.emulator.catalogue import PatchSet
from local.emulator.configuration import CONFIGURATION
from local.emulator.gateway_call import peer_address, raw_path
from local.emulator.metric_store import records_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
OWN_PATHS = "/_haylift/"


class Application:
    """Serves `GET /_haylift/ready` (which patches are on) and, for tests, switches them and looks inside."""

    def __init__(self, ministack: Callable[[Any, Receive, Send], Awaitable[None]], patches: PatchSet) -> None:
        """`ministack` is its ASGI application, patched."""
        self._ministack = ministack
        self._patches = patches

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one connection event of the ASGI server."""
        if scope["type"] != "http":
            await self._ministack(scope, receive, send)
            return
        peer_address.set((scope.get("client") or ("127.0.0.1", 0))[0])
        raw_path.set(scope.get("raw_path") or b"")
        if scope["path"].startswith(OWN_PATHS):
            await self._answer(scope, send)
        else:
            await self._ministack(scope, receive, send)

    async def _answer(self, scope: Message, send: Send) -> None:
        status, content = self._own(scope)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    def _own(self, scope: Message) -> tuple[int, dict[str, Any]]:
        path = scope["path"].removeprefix(OWN_PATHS)
        if path == "ready":
            return 200, {"status": "ready", "patches": self._patches.states()}
        if path == "records" and CONFIGURATION.patches_can_be_switched:
            return 200, {"records": self._records(parse_qs(scope["query_string"].decode()))}
        name = path.removeprefix("patches/")
        if scope["method"] != "POST" or not CONFIGURATION.patches_can_be_switched or name == path:
            return 404, {"message": "not found"}
        state = parse_qs(scope["query_string"].decode()).get("state", [""])[0]
        if state not in {"on", "off"} or name not in self._patches.states():
            return 400, {"message": "state=on or state=off of a known patch"}
        self._patches.switch(name, on=state == "on")
        return 200, {"patches": self._patches.states()}

    def _records(self, query: dict[str, list[str]]) -> int:
        named = {key: values[0] for key, values in query.items()}
        namespace, name = named.pop("namespace", ""), named.pop("name", "")
        return records_of(namespace, name, named)
